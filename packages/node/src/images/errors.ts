import { DhowError } from "@dhow/base";

/** Every fault of the node's image table that a person can mend. */
export const imageErrors = {
  unknown: (reference: string) =>
    new DhowError({
      code: "IMAGE_UNKNOWN",
      message: `This node has nothing for the image "${reference}".`,
      instead:
        "Give the service a `source` folder, name a program that the node knows (postgres:18, redis, valkey, nginx, node, busybox), or add the reference to the node's table of images.",
    }),
  sourceMissing: (reference: string, folder: string) =>
    new DhowError({
      code: "IMAGE_SOURCE_MISSING",
      message: `The source folder of "${reference}" is not there: ${folder}.`,
      place: { file: folder },
      instead: "Create the folder, or correct `source` in the description.",
    }),
  entryMissing: (reference: string, folder: string) =>
    new DhowError({
      code: "IMAGE_ENTRY_MISSING",
      message: `"${reference}" has no file to start in ${folder}.`,
      place: { file: folder },
      instead:
        'Write src/main.ts or main.ts, name the file as "main" in package.json, or say how to start it: run: "python3 app.py".',
    }),
  layersMissing: (reference: string, folder: string) =>
    new DhowError({
      code: "IMAGE_LAYER_MISSING",
      message: `A layer of "${reference}" is not there: ${folder}.`,
      place: { file: folder },
      instead: "Build or pull the image again.",
    }),
  programMissing: (reference: string, program: string, install: string) =>
    new DhowError({
      code: "IMAGE_PROGRAM_MISSING",
      message: `"${reference}" needs the program ${program}, which is not on this machine.`,
      instead: `Install it: ${install}`,
    }),
  tableUnreadable: (file: string, why: string) =>
    new DhowError({
      code: "IMAGE_TABLE_UNREADABLE",
      message: `The node's table of images cannot be read: ${why}.`,
      place: { file },
      instead:
        'Write JSON such as { "images": { "registry.example/shop/web:1.0": { "source": "/home/me/shop/web" } } }.',
    }),
};
