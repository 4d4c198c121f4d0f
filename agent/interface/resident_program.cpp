// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "interface/resident_program.hpp"

#include <bpf/bpf.h>
#include <fmt/core.h>
#include <linux/bpf.h>
#include <xdp/libxdp.h>

#include <cerrno>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "interface/attached_programs.hpp"
#include "interface/forgotten_descriptors.hpp"
#include "program/count_program.hpp"
#include "program/kernel_program_info.hpp"
#include "program/library_log.hpp"
#include "program/running_program.hpp"

namespace xdp_count {
namespace {

// The program `id` if it is one of ours. Programs go away at any time: then it is not.
std::optional<ResidentProgram> if_ours(std::uint32_t id, XdpMode mode, bool shared) {
  UniqueFd fd(bpf_prog_get_fd_by_id(id));
  if (!fd && errno == ENOENT) return std::nullopt;
  const auto info = fd ? program_info(fd.get()) : std::nullopt;
  if (!info) throw_errno("asking the kernel about the XDP program with id " + std::to_string(id));
  if (std::string_view(info->name) != CountProgram::name()) return std::nullopt;
  auto identity = identity_of(fd.get());
  if (!identity) return std::nullopt;
  return ResidentProgram{.fd = std::move(fd),
                         .id = id,
                         .mode = mode,
                         .shared = shared,
                         .build = identity->build,
                         .owner = std::move(identity->owner)};
}

int detach_from_dispatcher(unsigned ifindex, const ResidentProgram& resident) {
  const ForgottenDescriptors forgotten;
  struct Close {
    void operator()(xdp_program* program) const noexcept { xdp_program__close(program); }
  };
  xdp_program* program = xdp_program__from_fd(resident.fd.get());
  if (const long error = libxdp_get_error(program); error != 0) return static_cast<int>(-error);
  const std::unique_ptr<xdp_program, Close> owner(program);
  const xdp_attach_mode mode = resident.mode == XdpMode::native ? XDP_MODE_NATIVE : XDP_MODE_SKB;
  return -xdp_program__detach(program, static_cast<int>(ifindex), mode, 0);
}

}  // namespace

std::optional<ResidentProgram> resident_program(const NetworkInterface& interface) {
  const auto now = find_interface(interface.index);
  if (!now) return std::nullopt;
  for (const AttachedProgram& program : now->programs) {
    if (program.mode == XdpMode::offloaded) continue;
    if (auto ours = if_ours(program.id, program.mode, false)) return ours;
    for (const std::uint32_t id : programs_in_dispatcher(now->programs))
      if (auto ours = if_ours(id, program.mode, true)) return ours;
  }
  return std::nullopt;
}

void throw_counted_already(const NetworkInterface& interface, const ProgramOwner& owner) {
  throw std::runtime_error(
      owner.state() == ProgramOwner::State::hidden
          ? fmt::format("xdp-count, which /proc does not show here, counts on {} already: it has "
                        "pid {} in its pid namespace",
                        interface.name, owner.pid())
          : fmt::format("xdp-count with pid {} counts on {} already", owner.pid(), interface.name));
}

void take_over(const NetworkInterface& interface, ResidentProgram& program) {
  if (program.owner.state() == ProgramOwner::State::counting || !program.owner.take())
    throw_counted_already(interface, program.owner);
}

void remove_stale_pins(unsigned ifindex) {
  libxdp_clean_references(static_cast<int>(ifindex));
}

void remove_program(const NetworkInterface& interface, const ResidentProgram& program) {
  const LibraryMessages messages;
  const int error = program.shared ? detach_from_dispatcher(interface.index, program)
                                   : detach_program(interface.index, program.fd.get(),
                                                    program.mode == XdpMode::generic);
  if (error == 0) return;
  const auto now = find_interface(interface.index);
  if (!now) return;
  if (!is_attached(*now, program.id)) {
    if (program.shared) remove_stale_pins(interface.index);
    return;
  }
  throw_system_error(error, fmt::format("detaching the XDP program from {}: {}", interface.name,
                                        messages.warnings()));
}

}  // namespace xdp_count
