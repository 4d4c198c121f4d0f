// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "interface/attached_programs.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/ranges.h>
#include <linux/bpf.h>
#include <linux/if_link.h>

#include <algorithm>
#include <optional>

#include "base/unique_fd.hpp"
#include "model/names.hpp"
#include "program/kernel_program_info.hpp"

namespace xdp_count {
namespace {

// Nothing when it has gone, or without CAP_SYS_ADMIN.
std::optional<bpf_prog_info> info_of_program(std::uint32_t id) {
  const UniqueFd fd(bpf_prog_get_fd_by_id(id));
  return fd ? program_info(fd.get()) : std::nullopt;
}

std::string program_name(std::uint32_t id) {
  const auto info = info_of_program(id);
  return info && *info->name != '\0' ? info->name : "a program";
}

// For a program of another type the kernel names the function's module in place of its program.
bool is_extension(std::uint32_t id) {
  const auto info = info_of_program(id);
  return info && info->type == BPF_PROG_TYPE_EXT;
}

}  // namespace

std::string describe(const std::vector<AttachedProgram>& programs) {
  std::vector<std::string> phrases;
  for (const AttachedProgram& program : programs)
    phrases.push_back(
        fmt::format("{} (id {}, {})", program_name(program.id), program.id, name_of(program.mode)));
  for (const std::uint32_t id : programs_in_dispatcher(programs))
    phrases.push_back(fmt::format("called by it {} (id {})", program_name(id), id));
  return fmt::format("{}", fmt::join(phrases, ", "));
}

std::string removal_command(const std::string& interface, XdpMode mode) {
  const char* option = mode == XdpMode::native    ? "xdpdrv"
                       : mode == XdpMode::generic ? "xdpgeneric"
                                                  : "xdpoffload";
  return fmt::format("ip link set dev {} {} off", interface, option);
}

bool contains(const std::vector<AttachedProgram>& programs, std::uint32_t id) {
  return std::any_of(programs.begin(), programs.end(),
                     [&](const AttachedProgram& program) { return program.id == id; });
}

std::vector<std::uint32_t> programs_in_dispatcher(const std::vector<AttachedProgram>& programs) {
  // libxdp is not asked: it would need the bpffs of the process that attached them, and before
  // version 1.6 it forgets descriptors of the programs that it finds. The kernel knows which
  // program stands in for a function of which other one.
  std::vector<std::uint32_t> ids;
  __u32 link_id = 0;
  while (bpf_link_get_next_id(link_id, &link_id) == 0) {
    const UniqueFd link(bpf_link_get_fd_by_id(link_id));
    bpf_link_info info{};
    __u32 size = sizeof info;
    if (!link || bpf_obj_get_info_by_fd(link.get(), &info, &size) != 0) continue;
    if (info.type == BPF_LINK_TYPE_TRACING && contains(programs, info.tracing.target_obj_id) &&
        is_extension(info.prog_id))
      ids.push_back(info.prog_id);
  }
  return ids;
}

bool is_attached(const NetworkInterface& interface, std::uint32_t id) {
  if (contains(interface.programs, id)) return true;
  // A program that joins or leaves libxdp's dispatcher has another one put in its place, which may
  // happen between any two questions of ours: what has changed meanwhile is asked again.
  NetworkInterface asked = interface;
  while (!asked.programs.empty()) {
    const std::vector<std::uint32_t> ids = programs_in_dispatcher(asked.programs);
    if (std::find(ids.begin(), ids.end(), id) != ids.end()) return true;
    const auto now = find_interface(interface.index);
    if (!now || now->programs == asked.programs) return false;
    asked = *now;
  }
  return false;
}

int detach_program(unsigned ifindex, int fd, bool generic) {
  bpf_xdp_attach_opts options{};
  options.sz = sizeof options;
  options.old_prog_fd = fd;
  return -bpf_xdp_detach(static_cast<int>(ifindex),
                         (generic ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE) | XDP_FLAGS_REPLACE,
                         &options);
}

}  // namespace xdp_count
