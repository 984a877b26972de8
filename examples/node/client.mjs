// Asks a server for clips and writes each as a MIDI file.
//
//     node client.mjs HOST:PORT COUNT SEED FOLDER
//
// Prints one line of JSON a clip. Knows nothing of the server but its contract.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

const contract = fileURLToPath(
  new URL("../../proto/musicvae/v1/musicvae.proto", import.meta.url),
);
const { musicvae } = grpc.loadPackageDefinition(loadSync(contract, { longs: String }));

const [address, count, seed, folder] = process.argv.slice(2);
const client = new musicvae.v1.MusicService(address, grpc.credentials.createInsecure());

const call = client.sample(
  { count: Number(count), seed },
  { deadline: Date.now() + 30_000 },
);
call.on("data", ({ clip }) => {
  const path = join(folder, `clip-${clip.index}.mid`);
  writeFileSync(path, clip.midi);
  const { model, modelVersion } = clip;
  console.log(JSON.stringify({ path, seed: clip.seed, model, modelVersion }));
});
call.on("error", (error) => {
  console.error(`${grpc.status[error.code]}: ${error.details}`);
  process.exitCode = 1;
});
call.on("close", () => client.close());
