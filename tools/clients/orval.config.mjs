// CONTRACT is the document, OUTPUT the folder of the client.
export default {
  cps: {
    input: { target: process.env.CONTRACT },
    output: { target: `${process.env.OUTPUT}/cps.ts`, schemas: `${process.env.OUTPUT}/models`, client: "fetch", mode: "tags-split" },
  },
};
