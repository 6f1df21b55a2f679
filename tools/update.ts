// Writes anew whatever is generated and committed. `npm run update`.
import { generateSchema } from "./generate-schema.ts";
import { updatePublicNames } from "./public-names.ts";

updatePublicNames();
const { skip } = await generateSchema("update");
if (skip !== undefined) console.log(`packages/kube/src/generated stays as it is: ${skip}`);
