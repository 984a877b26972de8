// Asks a server for melodies, and writes each as a MIDI file as soon as it arrives.
//
//     make && ./build/client localhost:50051 4 7

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <fstream>
#include <iostream>

#include "musicvae/v1/musicvae.grpc.pb.h"

namespace pb = musicvae::v1;

// A call that no server has begun to answer is made again.
constexpr char kRetries[] = R"({"methodConfig": [{"name": [{}], "retryPolicy": {
    "maxAttempts": 5, "initialBackoff": "0.1s", "maxBackoff": "1s", "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"]}}]})";

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: client HOST:PORT COUNT SEED\n";
    return 2;
  }
  grpc::ChannelArguments arguments;
  arguments.SetServiceConfigJSON(kRetries);
  auto channel =
      grpc::CreateCustomChannel(argv[1], grpc::InsecureChannelCredentials(), arguments);
  auto music = pb::MusicService::NewStub(channel);

  pb::SampleRequest request;
  request.set_count(std::stoul(argv[2]));
  request.set_seed(std::stoull(argv[3]));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));

  auto replies = music->Sample(&context, request);
  pb::SampleResponse reply;
  while (replies->Read(&reply)) {
    const pb::Clip& clip = reply.clip();
    std::string name = "clip-" + std::to_string(clip.index()) + ".mid";
    std::ofstream(name, std::ios::binary) << clip.midi();
    std::cout << name << ": " << clip.model() << ", seed " << clip.seed() << std::endl;
  }
  grpc::Status status = replies->Finish();
  if (!status.ok()) {
    std::cerr << status.error_message() << "\n";
    return 1;
  }
}
