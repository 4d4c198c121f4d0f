// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "attachment.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/ranges.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <xdp/libxdp.h>

#include <fcntl.h>

#include <cerrno>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include "error.hpp"
#include "library_log.hpp"
#include "log.hpp"
#include "unique_fd.hpp"

namespace xdp_count {
namespace {

struct CloseProgram {
  void operator()(xdp_program* program) const noexcept { xdp_program__close(program); }
};
using XdpProgram = std::unique_ptr<xdp_program, CloseProgram>;

struct CloseMultiprog {
  void operator()(xdp_multiprog* programs) const noexcept { xdp_multiprog__close(programs); }
};
using XdpMultiprog = std::unique_ptr<xdp_multiprog, CloseMultiprog>;

xdp_attach_mode libxdp_mode(XdpMode mode) {
  return mode == XdpMode::native ? XDP_MODE_NATIVE : XDP_MODE_SKB;
}

UniqueFd duplicate(int fd) {
  UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!copy) throw_errno("duplicating the descriptor of the XDP program");
  return copy;
}

bpf_prog_info info_of(int program_fd) {
  bpf_prog_info info{};
  __u32 size = sizeof info;
  if (bpf_obj_get_info_by_fd(program_fd, &info, &size) != 0)
    throw_errno("asking the kernel about an XDP program");
  return info;
}

// Which programs the kernel runs on an interface, in each mode.
bpf_xdp_query_opts query(unsigned ifindex) {
  bpf_xdp_query_opts result{};
  result.sz = sizeof result;
  if (const int error = bpf_xdp_query(static_cast<int>(ifindex), 0, &result); error != 0)
    throw_system_error(
        -error, "asking which XDP programs are on interface number " + std::to_string(ifindex));
  return result;
}

constexpr std::string_view dispatcher_name = "xdp_dispatcher";

std::optional<ResidentProgram> behind_dispatcher(const NetworkInterface& interface, XdpMode mode) {
  const LibraryMessages messages;
  xdp_multiprog* found = xdp_multiprog__get_from_ifindex(static_cast<int>(interface.index));
  if (const long error = libxdp_get_error(found); error != 0)
    throw_system_error(static_cast<int>(-error),
                       fmt::format("asking libxdp which programs are on {}: {}", interface.name,
                                   messages.warnings()));
  const XdpMultiprog programs(found);
  xdp_program* program = nullptr;
  while ((program = xdp_multiprog__next_prog(program, programs.get())) != nullptr) {
    if (std::string_view(xdp_program__name(program)) != CountProgram::name()) continue;
    if (const auto config = config_of(xdp_program__fd(program)))
      return ResidentProgram{.fd = duplicate(xdp_program__fd(program)),
                             .id = xdp_program__id(program),
                             .mode = mode,
                             .shared = true,
                             .config = *config};
  }
  return std::nullopt;
}

bool allows(ModeChoice choice, XdpMode mode) {
  return choice == ModeChoice::automatic ||
         (choice == ModeChoice::native) == (mode == XdpMode::native);
}

std::string program_name(std::uint32_t id) {
  const UniqueFd fd(bpf_prog_get_fd_by_id(id));
  return fd ? info_of(fd.get()).name : "?";
}

// The XDP programs on an interface, a phrase each: "xdp_filter (id 7, native)".
std::vector<std::string> programs_on(unsigned ifindex) {
  const bpf_xdp_query_opts now = query(ifindex);
  std::vector<std::string> programs;
  const auto add = [&](std::uint32_t id, const char* mode) {
    if (id != 0) programs.push_back(fmt::format("{} (id {}, {})", program_name(id), id, mode));
  };
  add(now.drv_prog_id, "native");
  add(now.skb_prog_id, "generic");
  add(now.hw_prog_id, "offloaded");
  return programs;
}

// What `error` (a positive errno value) and the collected messages say, the kernel's words first.
std::string reason_for(int error, const LibraryMessages& messages) {
  const std::string text = error_text(error);
  if (const auto kernel = messages.kernel_message()) return fmt::format("{} ({})", *kernel, text);
  const std::string warnings = messages.warnings();
  return warnings.empty() ? text : fmt::format("{} ({})", text, warnings);
}

}  // namespace

const char* name_of(XdpMode mode) {
  return mode == XdpMode::native ? "native" : "generic";
}

std::optional<ResidentProgram> resident_program(const NetworkInterface& interface) {
  const bpf_xdp_query_opts programs = query(interface.index);
  const XdpMode mode = programs.skb_prog_id != 0 ? XdpMode::generic : XdpMode::native;
  const std::uint32_t id = mode == XdpMode::generic ? programs.skb_prog_id : programs.drv_prog_id;
  if (id == 0) return std::nullopt;

  // Alone on the interface, or one of those that libxdp's dispatcher calls. libxdp is asked in that
  // case only: it forgets a descriptor of what it finds (xdp_multiprog__from_id(), libxdp 1.3),
  // which would keep a program of ours loaded after it has been detached.
  UniqueFd fd(bpf_prog_get_fd_by_id(id));
  if (!fd) throw_errno("asking the kernel for the XDP program with id " + std::to_string(id));
  const std::string name = info_of(fd.get()).name;
  if (name == dispatcher_name) return behind_dispatcher(interface, mode);
  if (name != CountProgram::name()) return std::nullopt;
  const auto config = config_of(fd.get());
  if (!config) return std::nullopt;
  return ResidentProgram{.fd = std::move(fd), .id = id, .mode = mode, .config = *config};
}

void detach(const NetworkInterface& interface, const ResidentProgram& resident) {
  const LibraryMessages messages;
  const auto ifindex = static_cast<int>(interface.index);
  int error = 0;
  if (resident.shared) {
    xdp_program* program = xdp_program__from_fd(resident.fd.get());
    error = -static_cast<int>(libxdp_get_error(program));
    if (error == 0) {
      const XdpProgram owner(program);
      error = -xdp_program__detach(program, ifindex, libxdp_mode(resident.mode), 0);
    }
  } else {
    // The kernel compares: what somebody else has put in its place stays.
    bpf_xdp_attach_opts options{};
    options.sz = sizeof options;
    options.old_prog_fd = resident.fd.get();
    const __u32 mode = resident.mode == XdpMode::native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
    error = -bpf_xdp_detach(ifindex, mode | XDP_FLAGS_REPLACE, &options);
  }
  // The interface is gone, and its programs with it.
  if (error == 0 || !find_interface(interface.index)) return;
  throw_system_error(error, fmt::format("detaching the XDP program from {}: {}", interface.name,
                                        messages.warnings()));
}

Attachment::Attachment(const NetworkInterface& interface, ModeChoice choice,
                       const ProgramSettings& settings)
    : interface_(interface) {
  if (adopt(choice, settings)) return;
  attach(choice, settings);
}

bool Attachment::adopt(ModeChoice choice, const ProgramSettings& settings) {
  auto found = resident_program(interface_);
  if (!found) return false;
  const CountProgram wanted(settings);
  const char* difference = found->config.build != wanted.config().build ? "is of another build"
                           : !interchangeable(found->config, wanted.config()) ? "has other settings"
                           : !allows(choice, found->mode)                     ? "is in another mode"
                                                                              : nullptr;
  if (difference != nullptr) {
    xdp_count::detach(interface_, *found);
    log::info("program {} of an earlier xdp-count was on {} and {}: replaced, counting starts anew",
              found->id, interface_.name, difference);
    return false;
  }
  resident_ = std::move(*found);
  program_.emplace(duplicate(resident_.fd.get()));
  mode_reason_ = program_->state().mode_reason.data();
  if (mode_reason_.empty()) mode_reason_ = "found so";  // by an agent that was killed at once
  adopted_ = true;
  attached_ = true;
  return true;
}

void Attachment::attach(ModeChoice choice, const ProgramSettings& settings) {
  std::string native_failure;
  if (choice != ModeChoice::generic) {
    native_failure = try_attach(XdpMode::native, settings);
    if (native_failure.empty()) {
      explain_mode(choice == ModeChoice::native ? "asked for" : "the driver supports it");
      return;
    }
    if (choice == ModeChoice::native)
      throw std::runtime_error(
          fmt::format("attaching to {} in native mode: {}; --mode generic may work",
                      interface_.name, native_failure));
  }
  const std::string generic_failure = try_attach(XdpMode::generic, settings);
  if (!generic_failure.empty()) {
    std::string message =
        fmt::format("attaching to {} in generic mode: {}", interface_.name, generic_failure);
    if (!native_failure.empty()) message += fmt::format("; in native mode: {}", native_failure);
    throw std::runtime_error(message);
  }
  explain_mode(native_failure.empty() ? "asked for" : "native mode failed: " + native_failure);
}

Attachment::~Attachment() {
  try {
    detach();
  } catch (const std::exception& error) {
    log::error("{}", error.what());
  }
}

std::string Attachment::try_attach(XdpMode mode, const ProgramSettings& settings) {
  const LibraryMessages messages;
  const auto ifindex = static_cast<int>(interface_.index);
  const std::vector<std::string> neighbours = programs_on(interface_.index);

  // A program of its own for each attempt: libxdp may have loaded it as an extension of its
  // dispatcher, and then it is of the wrong type for the next one.
  CountProgram count(settings);
  xdp_program_opts options{};
  options.sz = sizeof options;
  options.obj = count.object();
  options.prog_name = CountProgram::name();
  xdp_program* program = xdp_program__create(&options);
  if (const long error = libxdp_get_error(program); error != 0)
    return reason_for(static_cast<int>(-error), messages);
  const XdpProgram owner(program);

  const int error = -xdp_program__attach(program, ifindex, libxdp_mode(mode), 0);
  if (error == 0) {
    attached_ = true;
    resident_ = {.fd = duplicate(count.fd()), .id = info_of(count.fd()).id, .mode = mode};
    const bpf_xdp_query_opts now = query(interface_.index);
    resident_.shared = now.drv_prog_id != resident_.id && now.skb_prog_id != resident_.id;
    program_.emplace(duplicate(count.fd()));
    return {};
  }
  if ((error == EBUSY || error == EEXIST) && !neighbours.empty())
    // Neither mode can be had then, and nothing of theirs is touched.
    throw std::runtime_error(fmt::format(
        "interface {} has an XDP program already, and this kernel or that program does not let "
        "two share it: {}. Remove it first, for example with: ip link set dev {} xdp off",
        interface_.name, fmt::format("{}", fmt::join(neighbours, ", ")), interface_.name));
  return reason_for(error, messages);
}

// Kept in the program's memory too: an agent that adopts it has not seen why.
void Attachment::explain_mode(std::string reason) {
  mode_reason_ = std::move(reason);
  auto& kept = program_->state().mode_reason;
  mode_reason_.copy(kept.data(), kept.size() - 1);
}

void Attachment::detach() {
  if (!attached_) return;
  attached_ = false;
  xdp_count::detach(interface_, resident_);
}

}  // namespace xdp_count
