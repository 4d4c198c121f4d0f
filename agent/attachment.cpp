// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "attachment.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/ranges.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <xdp/libxdp.h>

#include <cerrno>
#include <optional>
#include <stdexcept>
#include <vector>

#include "error.hpp"
#include "library_log.hpp"
#include "log.hpp"
#include "unique_fd.hpp"

namespace xdp_count {
namespace {

xdp_attach_mode libxdp_mode(XdpMode mode) {
  return mode == XdpMode::native ? XDP_MODE_NATIVE : XDP_MODE_SKB;
}

std::string program_name(std::uint32_t id) {
  bpf_prog_info info{};
  __u32 size = sizeof info;
  const UniqueFd fd(bpf_prog_get_fd_by_id(id));
  if (!fd || bpf_obj_get_info_by_fd(fd.get(), &info, &size) != 0) return "?";
  return info.name;
}

// The XDP programs on an interface, a phrase each: "xdp_filter (id 7, native)".
std::vector<std::string> programs_on(unsigned ifindex) {
  bpf_xdp_query_opts query{};
  query.sz = sizeof query;
  if (bpf_xdp_query(static_cast<int>(ifindex), 0, &query) != 0) return {};
  std::vector<std::string> programs;
  const auto add = [&](std::uint32_t id, const char* mode) {
    if (id != 0) programs.push_back(fmt::format("{} (id {}, {})", program_name(id), id, mode));
  };
  add(query.drv_prog_id, "native");
  add(query.skb_prog_id, "generic");
  add(query.hw_prog_id, "offloaded");
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

Attachment::Attachment(const NetworkInterface& interface, ModeChoice choice,
                       const ProgramSettings& settings)
    : interface_(interface) {
  std::string native_failure;
  if (choice != ModeChoice::generic) {
    native_failure = try_attach(XdpMode::native, settings);
    if (native_failure.empty()) {
      mode_reason_ = choice == ModeChoice::native ? "asked for" : "the driver supports it";
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
  mode_reason_ = native_failure.empty() ? "asked for" : "native mode failed: " + native_failure;
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
  xdp_program_.reset();
  program_ = std::make_unique<CountProgram>(settings);
  xdp_program_opts options{};
  options.sz = sizeof options;
  options.obj = program_->object();
  options.prog_name = CountProgram::name();
  xdp_program* program = xdp_program__create(&options);
  if (const long error = libxdp_get_error(program); error != 0)
    return reason_for(static_cast<int>(-error), messages);
  xdp_program_.reset(program);

  const int error = -xdp_program__attach(program, ifindex, libxdp_mode(mode), 0);
  if (error == 0) {
    mode_ = mode;
    attached_ = true;
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

void Attachment::detach() {
  if (!attached_) return;
  attached_ = false;
  const LibraryMessages messages;
  const int error = -xdp_program__detach(xdp_program_.get(), static_cast<int>(interface_.index),
                                         libxdp_mode(mode_), 0);
  // The interface is gone, and its programs with it.
  if (error == 0 || !find_interface(interface_.index)) return;
  throw_system_error(error, fmt::format("detaching the XDP program from {}: {}", interface_.name,
                                        messages.warnings()));
}

void Attachment::CloseProgram::operator()(xdp_program* program) const noexcept {
  xdp_program__close(program);
}

}  // namespace xdp_count
