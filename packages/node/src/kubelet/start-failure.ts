/** Why a container did not start: the reason and message of its waiting state, and the text of the Failed event. */
export class StartFailure extends Error {
  readonly reason: string;
  /** The image is missing: the image back-off applies, not that of crashes. */
  readonly image: boolean;

  constructor(reason: string, message: string, image = false) {
    super(message);
    this.reason = reason;
    this.image = image;
  }
}
