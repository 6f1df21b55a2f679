export { compile } from "./compile.ts";
export { adminerImage, type SourceImage, sourceImages } from "./images.ts";
export { generatedAnnotation } from "./secret.ts";
