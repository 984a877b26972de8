// Asks a server for clips over HTTP, by Connect or gRPC-Web, and writes each as a MIDI file.
//
//     buf build ../../proto -o contract.binpb
//     node connect.mjs http://HOST:PORT connect|grpc-web contract.binpb COUNT SEED FOLDER
//
// Prints one line of JSON a clip. In a browser, take the transports of @connectrpc/connect-web.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-node";

const [baseUrl, protocol, contract, count, seed, folder] = process.argv.slice(2);
const files = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(contract)));
const create = protocol === "connect" ? createConnectTransport : createGrpcWebTransport;
const transport = create({ baseUrl, httpVersion: "2" });
const client = createClient(files.getService("musicvae.v1.MusicService"), transport);

try {
  const request = { count: Number(count), seed: BigInt(seed) };
  for await (const { clip } of client.sample(request, { timeoutMs: 30_000 })) {
    const path = join(folder, `clip-${clip.index}.mid`);
    writeFileSync(path, clip.content.value);
    const { model, modelVersion } = clip;
    console.log(JSON.stringify({ path, seed: String(clip.seed), model, modelVersion }));
  }
} catch (error) {
  const { code, rawMessage } = ConnectError.from(error);
  console.error(`${Code[code]}: ${rawMessage}`);
  process.exitCode = 1;
}
