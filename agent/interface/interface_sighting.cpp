// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "interface/interface_sighting.hpp"

#include <fmt/core.h>

#include "base/log.hpp"
#include "interface/attached_programs.hpp"

namespace xdp_count {

Sighting look_at(LinkQuery& query, unsigned ifindex, std::uint32_t program_id) {
  Sighting seen{.interface = query.find(ifindex), .program_id = program_id};
  if (!seen.interface) return seen;
  seen.attached = is_attached(*seen.interface, program_id);
  if (!seen.attached) seen.others = describe(seen.interface->programs);
  return seen;
}

std::optional<Ending> follow(NetworkInterface& known, const Sighting& seen,
                             InterfaceWatch::Fate fate) {
  if (fate == InterfaceWatch::Fate::moved) {
    std::string reason = fmt::format(
        "interface {} was moved to another network namespace, and the XDP program (id {}) with it",
        known.name, seen.program_id);
    if (!known.programs.empty())
      reason += "; to remove it there: " + removal_command(known.name, known.programs[0].mode);
    return Ending{exit_interface_gone, reason};
  }
  if (!seen.interface || fate == InterfaceWatch::Fate::deleted)
    return Ending{exit_interface_gone, fmt::format("interface {} went away", known.name)};
  if (seen.interface->name != known.name) {
    log::info("interface {} is now called {}", known.name, seen.interface->name);
    known.name = seen.interface->name;
  }
  if (seen.interface->up != known.up) {
    known.up = seen.interface->up;
    log::info("interface {} is {}", known.name, known.up ? "up" : "down");
  }
  if (seen.attached) return std::nullopt;
  return Ending{exit_program_gone,
                seen.others.empty()
                    ? fmt::format("the XDP program (id {}) was taken off {}; there is none now",
                                  seen.program_id, known.name)
                    : fmt::format("the XDP program (id {}) was taken off {}; there is now: {}",
                                  seen.program_id, known.name, seen.others)};
}

}  // namespace xdp_count
