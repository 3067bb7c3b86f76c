// openapi-typescript.mjs CONTRACT OUTPUT: the types for openapi-fetch. What is binary in the contract is a Blob, as browsers have it; the command
// line of openapi-typescript cannot be told so.
import { writeFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";
import ts from "typescript";

const blob = ts.factory.createTypeReferenceNode("Blob");

const [contract, output] = process.argv.slice(2);
const types = await openapiTS(pathToFileURL(contract), {
  transform: (schema) => (schema.format === "binary" ? blob : undefined),
});
await writeFile(output, astToString(types));
