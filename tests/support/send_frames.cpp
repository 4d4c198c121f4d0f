// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// send-frames: sends frames of one kind, exactly as many as asked for, for demonstrations and for
// trying things by hand.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/address.hpp"
#include "packet_builder.hpp"
#include "packet_socket.hpp"

namespace {

using namespace xdp_count;
using namespace xdp_count::testing;

struct Settings {
  std::string interface;
  std::string kind = "ipv4";
  std::optional<Address> source;  // else the first one of PacketBuilder
  std::uint32_t sources = 1;
  std::uint64_t count = 1;
  std::size_t length = 98;
  std::vector<std::uint16_t> vlans;
  double rate = 0;
};

Frame frame_from(const Settings& settings, const Address& source) {
  PacketBuilder builder;
  for (const std::uint16_t vlan : settings.vlans) builder.vlan(0x8100, vlan);
  if (settings.kind == "ipv4")
    builder.ipv4({.source = source.ipv4()}).udp(1024, 9).frame_length(settings.length);
  else if (settings.kind == "ipv6")
    builder.ipv6({.source = source.bytes()}).udp(1024, 9).frame_length(settings.length);
  else
    builder.arp({.sender = source.ipv4()});
  return builder.build();
}

// Sends what is due at the time, in pieces of a hundredth of a second, or of one frame.
class PacedSender {
 public:
  explicit PacedSender(const Settings& settings)
      : socket_(settings.interface),
        rate_(settings.rate),
        piece_(std::max<std::size_t>(1, static_cast<std::size_t>(settings.rate / 100))) {}

  void send(std::span<const Frame> frames) {
    if (rate_ <= 0) return socket_.send(frames);
    while (!frames.empty()) {
      const auto piece = frames.first(std::min(piece_, frames.size()));
      socket_.send(piece);
      sent_ += piece.size();
      frames = frames.subspan(piece.size());
      std::this_thread::sleep_until(
          start_ + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                       std::chrono::duration<double>(static_cast<double>(sent_) / rate_)));
    }
  }

 private:
  PacketSocket socket_;
  double rate_;  // frames a second; 0: as fast as it goes
  std::size_t piece_;
  std::size_t sent_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// Each round sends a frame from every source.
void send_rounds(const Settings& settings) {
  std::vector<Frame> round;
  Address source = *settings.source;
  for (std::uint32_t i = 0; i < settings.sources; ++i, ++source.low)
    round.push_back(frame_from(settings, source));
  PacedSender sender(settings);
  for (std::uint64_t i = 0; i < settings.count; ++i) sender.send(round);
  std::size_t bytes = 0;
  for (const Frame& frame : round) bytes += frame.size();
  fmt::print("sent {} frames of the kind {}, {} bytes, from {} source{}\n",
             settings.count * round.size(), settings.kind, settings.count * bytes, settings.sources,
             settings.sources == 1 ? "" : "s");
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  std::string source;
  CLI::App app{"Sends frames of one kind through a packet socket.", "send-frames"};
  app.add_option("IFACE", settings.interface, "The interface to send on")->required();
  app.add_option("--kind", settings.kind, "ipv4, ipv6 or arp")
      ->check(CLI::IsMember({"ipv4", "ipv6", "arp"}))
      ->capture_default_str();
  app.add_option("--source", source, "The first source address  [192.0.2.1, 2001:db8::1]")
      ->check([](const std::string& text) {
        return parse_address(text) ? "" : "'" + text + "' is not an IP address";
      });
  app.add_option("--sources", settings.sources, "How many sources, one address after the other")
      ->capture_default_str();
  app.add_option("--count", settings.count, "Frames from each source")->capture_default_str();
  app.add_option("--length", settings.length, "Bytes of a frame")->capture_default_str();
  app.add_option("--vlan", settings.vlans, "A VLAN tag with this number; outer ones first");
  app.add_option("--rate", settings.rate,
                 "Frames a second at most, of all sources; 0: as fast as it goes")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    const Address usual =
        settings.kind == "ipv6" ? Address::ipv6(Ipv6Fields{}.source) : Address(Ipv4Fields{}.source);
    settings.source = source.empty() ? usual : *parse_address(source);
    if (settings.source->family != usual.family)
      throw std::runtime_error(source + " is not an address for frames of the kind " +
                               settings.kind);
    send_rounds(settings);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "send-frames: %s\n", error.what());
    return 1;
  }
}
