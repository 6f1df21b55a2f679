// Writes anew whatever is generated and committed. `npm run update`.
import { updatePublicNames } from "./public-names.ts";

updatePublicNames();
