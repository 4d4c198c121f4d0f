// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "event_view.hpp"

#include <fmt/ranges.h>

#include "base/printable.hpp"
#include "base/time_format.hpp"
#include "view/table_view.hpp"

namespace xdp_count {
namespace {

// A port behind an IPv6 address needs more than a colon to be distinguished from it.
std::string endpoint(const std::string& raw, std::optional<std::uint16_t> port) {
  std::string address = printable(raw);
  if (!port) return address;
  const bool is_ipv6 = address.find(':') != address.npos;
  return is_ipv6 ? fmt::format("[{}]:{}", address, *port) : fmt::format("{}:{}", address, *port);
}

}  // namespace

std::string event_text(const EventMessage& event) {
  const DecodedFrame& frame = event.frame;
  const std::string time = rfc3339_us(event.time);
  const bool is_sample = event.kind == EventKind::sample;
  std::string text;
  if (event.lost > 0)
    text = fmt::format("({} {} before the next one were lost)\n", grouped(event.lost),
                       is_sample ? "samples" : "new sources");
  if (!is_sample) {
    if (frame.destination.empty())
      return text + fmt::format("{}  new source {}", time, frame.source);
    if (frame.source.empty())
      return text + fmt::format("{}  new destination {}", time, frame.destination);
    return text + fmt::format("{}  new pair {} > {}", time, frame.source, frame.destination);
  }

  text +=
      fmt::format("{}  {}", time, frame.protocol.empty() ? "unknown" : printable(frame.protocol));
  if (!frame.source.empty())
    text += fmt::format(" {} > {}", endpoint(frame.source, frame.source_port),
                        endpoint(frame.destination, frame.destination_port));
  text += fmt::format(", {} bytes", event.frame_bytes);
  if (!frame.vlan_ids.empty()) text += fmt::format(", vlan {}", fmt::join(frame.vlan_ids, " "));
  return text;
}

}  // namespace xdp_count
