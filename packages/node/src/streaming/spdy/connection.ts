import { Duplex } from "node:stream";
import { controlFrame, dataFrame, flagFin, type Frame, FrameReader, FrameType } from "./frames.ts";
import { HeaderDeflater, HeaderInflater, type Headers } from "./headers.ts";

/** Bytes that wait unread in one stream before the connection as a whole is held back: SPDY/3.1 clients here use no flow control. */
const highWater = 4 << 20;
const statusCancel = 5;

/** One stream of a SPDY connection: ends either way independently, as a socket does. */
export class SpdyStream extends Duplex {
  readonly id: number;
  readonly headers: Headers;
  readonly #connection: SpdyConnection;
  #finSent = false;
  #finReceived = false;

  constructor(connection: SpdyConnection, id: number, headers: Headers) {
    super({ allowHalfOpen: true, readableHighWaterMark: highWater });
    this.#connection = connection;
    this.id = id;
    this.headers = headers;
    this.on("error", () => undefined);
  }

  /** Takes what the peer sent; false when the reader does not keep up. */
  receive(payload: Buffer, fin: boolean): boolean {
    if (this.#finReceived || this.destroyed) return true;
    const room = payload.length === 0 || this.push(payload);
    if (fin) {
      this.#finReceived = true;
      this.push(null);
    }
    return room;
  }

  override _read(): void {
    this.#connection.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#connection.write(dataFrame(this.id, 0, chunk), callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#finSent = true;
    this.#connection.write(dataFrame(this.id, flagFin, Buffer.alloc(0)), callback);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#connection.forget(this, this.#finSent && this.#finReceived);
    callback(error);
  }

  /** Ends both ways at once; the peer is told. */
  reset(): void {
    this.destroy();
  }
}

/**
 * Either end of a SPDY/3.1 connection over any byte stream, as spdystream (client-go) speaks it: no flow control, no server push.
 */
export class SpdyConnection {
  readonly #transport: Duplex;
  readonly #reader = new FrameReader();
  readonly #inflater = new HeaderInflater();
  readonly #deflater = new HeaderDeflater();
  readonly #streams = new Map<number, SpdyStream>();
  readonly #server: boolean;
  #nextId: number;
  #headersSent: Promise<unknown> = Promise.resolve();
  #received: Promise<void> = Promise.resolve();
  #closed = false;
  /** Called for each stream that the peer opens, before its first byte. */
  onStream: (stream: SpdyStream) => void = (stream) => stream.reset();
  onClose: () => void = () => undefined;

  constructor(transport: Duplex, options: { readonly server: boolean }) {
    this.#transport = transport;
    this.#server = options.server;
    this.#nextId = options.server ? 2 : 1;
    transport.on("data", (bytes: Buffer) => this.#receive(bytes));
    transport.on("error", () => this.close());
    transport.on("end", () => this.close());
    transport.on("close", () => this.close());
  }

  /** Opens a stream; resolves once the request is on its way. */
  async open(headers: Headers): Promise<SpdyStream> {
    const stream = new SpdyStream(this, this.#nextId, headers);
    this.#nextId += 2;
    this.#streams.set(stream.id, stream);
    await this.#sendHeaders(async () => {
      const ids = Buffer.alloc(10);
      ids.writeUInt32BE(stream.id, 0);
      return controlFrame(FrameType.synStream, 0, Buffer.concat([ids, await this.#deflater.encode(headers)]));
    });
    return stream;
  }

  write(bytes: Buffer, callback?: (error?: Error | null) => void): void {
    if (this.#closed) {
      callback?.(null);
      return;
    }
    if (this.#transport.write(bytes)) callback?.();
    else if (callback) {
      // The connection may close while it is full; the writer then goes on and finds its stream ended.
      const proceed = () => {
        this.#transport.off("drain", proceed);
        this.#transport.off("close", proceed);
        callback();
      };
      this.#transport.once("drain", proceed);
      this.#transport.once("close", proceed);
    }
  }

  resume(): void {
    if (!this.#closed && this.#transport.isPaused()) this.#transport.resume();
  }

  forget(stream: SpdyStream, finished: boolean): void {
    if (!this.#streams.delete(stream.id) || finished) return;
    const payload = Buffer.alloc(8);
    payload.writeUInt32BE(stream.id, 0);
    payload.writeUInt32BE(statusCancel, 4);
    this.write(controlFrame(FrameType.rstStream, 0, payload));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const stream of this.#streams.values()) {
      stream.receive(Buffer.alloc(0), true);
      stream.destroy();
    }
    this.#streams.clear();
    this.#inflater.close();
    this.#deflater.close();
    this.#transport.end();
    this.onClose();
  }

  #receive(bytes: Buffer): void {
    let frames: Frame[];
    try {
      frames = this.#reader.push(bytes);
    } catch {
      this.close();
      return;
    }
    // In order, also where a header block has to be inflated first.
    this.#received = this.#received.then(async () => {
      for (const frame of frames) await this.#handle(frame);
    });
    this.#received.catch(() => this.close());
  }

  async #handle(frame: Frame): Promise<void> {
    if (this.#closed) return;
    if (frame.kind === "data") {
      const stream = this.#streams.get(frame.stream & 0x7fffffff);
      if (stream && !stream.receive(Buffer.from(frame.payload), (frame.flags & flagFin) !== 0)) this.#transport.pause();
      return;
    }
    const id = frame.payload.length >= 4 ? frame.payload.readUInt32BE(0) & 0x7fffffff : 0;
    if (frame.type === FrameType.synStream) await this.#accept(id, frame);
    else if (frame.type === FrameType.synReply) await this.#inflater.decode(frame.payload.subarray(4));
    else if (frame.type === FrameType.headers) await this.#inflater.decode(frame.payload.subarray(4));
    else if (frame.type === FrameType.rstStream) this.#reset(id);
    else if (frame.type === FrameType.goAway) this.#finishSoon();
    else if (frame.type === FrameType.ping && (id % 2 === 1) === this.#server) {
      this.write(controlFrame(FrameType.ping, 0, frame.payload));
    }
  }

  async #accept(id: number, frame: Frame): Promise<void> {
    const headers = await this.#inflater.decode(frame.payload.subarray(10));
    const stream = new SpdyStream(this, id, headers);
    this.#streams.set(id, stream);
    await this.#sendHeaders(async () => {
      const reply = Buffer.alloc(4);
      reply.writeUInt32BE(id, 0);
      return controlFrame(FrameType.synReply, 0, Buffer.concat([reply, await this.#deflater.encode({})]));
    });
    this.onStream(stream);
    if ((frame.flags & flagFin) !== 0) stream.receive(Buffer.alloc(0), true);
  }

  /** Header blocks share one zlib stream: they are compressed and sent one after the other. */
  #sendHeaders(make: () => Promise<Buffer>): Promise<void> {
    const sent = this.#headersSent.then(async () => {
      if (!this.#closed) this.write(await make());
    });
    this.#headersSent = sent.catch(() => undefined);
    return sent;
  }

  #reset(id: number): void {
    const stream = this.#streams.get(id);
    if (!stream) return;
    this.#streams.delete(id);
    stream.receive(Buffer.alloc(0), true);
    stream.destroy();
  }

  #finishSoon(): void {
    if (this.#streams.size === 0) this.close();
  }
}
