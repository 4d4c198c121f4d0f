// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "attached_programs.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/ranges.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <xdp/libxdp.h>

#include <algorithm>
#include <memory>

#include "unique_fd.hpp"

namespace xdp_count {
namespace {

std::string program_name(std::uint32_t id) {
  bpf_prog_info info{};
  __u32 size = sizeof info;
  const UniqueFd fd(bpf_prog_get_fd_by_id(id));
  if (!fd || bpf_obj_get_info_by_fd(fd.get(), &info, &size) != 0 || *info.name == '\0')
    return "a program";
  return info.name;
}

}  // namespace

std::string describe(const std::vector<AttachedProgram>& programs) {
  std::vector<std::string> phrases;
  for (const AttachedProgram& program : programs)
    phrases.push_back(
        fmt::format("{} (id {}, {})", program_name(program.id), program.id, program.mode));
  return fmt::format("{}", fmt::join(phrases, ", "));
}

std::string removal_command(const std::string& interface, std::string_view mode) {
  const char* option = mode == "native"    ? "xdpdrv"
                       : mode == "generic" ? "xdpgeneric"
                                           : "xdpoffload";
  return fmt::format("ip link set dev {} {} off", interface, option);
}

bool is_alone(const std::vector<AttachedProgram>& programs, std::uint32_t id) {
  return std::any_of(programs.begin(), programs.end(),
                     [&](const AttachedProgram& program) { return program.id == id; });
}

std::vector<std::uint32_t> programs_in_dispatcher(const NetworkInterface& interface) {
  // libxdp 1.3 forgets a descriptor of every program that it finds so (xdp_multiprog__from_id()):
  // it must not be asked about one that is alone, which would stay loaded for as long as we run.
  const auto is_dispatcher = [](const AttachedProgram& program) {
    return program_name(program.id) == "xdp_dispatcher";
  };
  if (std::none_of(interface.programs.begin(), interface.programs.end(), is_dispatcher)) return {};
  struct Close {
    void operator()(xdp_multiprog* programs) const noexcept { xdp_multiprog__close(programs); }
  };
  xdp_multiprog* found = xdp_multiprog__get_from_ifindex(static_cast<int>(interface.index));
  if (libxdp_get_error(found) != 0) return {};
  const std::unique_ptr<xdp_multiprog, Close> programs(found);
  std::vector<std::uint32_t> ids;
  xdp_program* program = nullptr;
  while ((program = xdp_multiprog__next_prog(program, programs.get())) != nullptr)
    ids.push_back(xdp_program__id(program));
  return ids;
}

bool is_attached(const NetworkInterface& interface, std::uint32_t id) {
  if (is_alone(interface.programs, id)) return true;
  // Whoever joins or leaves libxdp's dispatcher puts another one in its place, and may do so
  // between any two questions of ours: what is asked again is what has changed meanwhile.
  NetworkInterface asked = interface;
  while (!asked.programs.empty()) {
    const std::vector<std::uint32_t> ids = programs_in_dispatcher(asked);
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
