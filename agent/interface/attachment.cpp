// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "interface/attachment.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>
#include <xdp/libxdp.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/log.hpp"
#include "interface/attached_programs.hpp"
#include "interface/forgotten_descriptors.hpp"
#include "interface/native_mode_remedy.hpp"
#include "model/names.hpp"
#include "program/kernel_program_info.hpp"
#include "program/library_log.hpp"

namespace xdp_count {
namespace {

// What `error` (a positive errno value) and the collected messages say, the kernel's words first.
std::string reason_for(int error, const LibraryMessages& messages) {
  const std::string text = error_text(error);
  if (const auto kernel = messages.kernel_message()) return fmt::format("{} ({})", *kernel, text);
  const std::string warnings = messages.warnings();
  return warnings.empty() ? text : fmt::format("{} ({})", text, warnings);
}

}  // namespace

ProgramSettings program_settings(const Settings& settings, const NetworkInterface& interface) {
  return {.has_ethernet_header = interface.has_ethernet_header(),
          .verdict = settings.verdict,
          .hot_slots = settings.hot_slots,
          .max_sources = settings.max_sources,
          .row_kind = settings.row_kind,
          .new_sources = settings.events,
          .sample_every = settings.sample};
}

const char* difference_from(const ResidentProgram& program, ModeChoice choice,
                            const ProgramSettings& settings) {
  const CountProgram wanted(settings);
  if (program.build.hash != wanted.config().build.hash) return "is of another build";
  if (!interchangeable(RunningProgram(duplicate(program.fd.get())).config(), wanted.config()))
    return "has other settings";
  return !choice || choice == program.mode ? nullptr : "is in another mode";
}

Attachment::Attachment(const NetworkInterface& interface, ModeChoice choice,
                       const ProgramSettings& settings)
    : Attachment(interface) {
  if (adopt(choice, settings)) return;
  attach(choice, settings);
}

bool Attachment::adopt(ModeChoice choice, const ProgramSettings& settings) {
  auto found = resident_program(interface_);
  if (!found) return false;
  take_over(interface_, *found);
  if (const char* difference = difference_from(*found, choice, settings)) {
    remove_program(interface_, *found);
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
  const auto now = find_interface(interface_.index);
  // The kernel runs all programs of an interface in one mode.
  const bool generic_is_taken = now && std::any_of(now->programs.begin(), now->programs.end(),
                                                   [](const AttachedProgram& program) {
                                                     return program.mode == XdpMode::generic;
                                                   });
  if (!choice && generic_is_taken) {
    native_failure = "other programs are on the interface in generic mode";
  } else if (choice != XdpMode::generic) {
    native_failure = try_attach(XdpMode::native, settings);
    if (native_failure.empty()) {
      explain_mode(choice == XdpMode::native ? "asked for" : "the driver supports it");
      return;
    }
    if (choice == XdpMode::native)
      throw std::runtime_error(
          fmt::format("attaching to {} in native mode: {}; {}", interface_.name, native_failure,
                      native_mode_remedy(native_failure, interface_.name, interface_.mtu)));
  }
  const std::string generic_failure = try_attach(XdpMode::generic, settings);
  if (!generic_failure.empty()) {
    std::string message =
        fmt::format("attaching to {} in generic mode: {}", interface_.name, generic_failure);
    if (!native_failure.empty()) message += fmt::format("; in native mode: {}", native_failure);
    if (const auto remedy = remedy_in_any_mode(generic_failure))
      message += fmt::format("; {}", *remedy);
    throw std::runtime_error(message);
  }
  explain_mode(native_failure.empty() ? "asked for" : "native mode failed: " + native_failure);
}

Attachment::~Attachment() {
  try {
    detach();
  } catch (const std::exception& error) {
    log::error("{}; it is still there, and counts: xdp-count --detach {} removes it", error.what(),
               interface_.name);
  }
}

std::string Attachment::try_attach(XdpMode mode, const ProgramSettings& settings) {
  const LibraryMessages messages;
  const auto ifindex = static_cast<int>(interface_.index);
  const auto before = find_interface(interface_.index);
  const std::vector<AttachedProgram> neighbours =
      before ? before->programs : std::vector<AttachedProgram>{};

  ForgottenDescriptors forgotten;
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
  struct Close {
    void operator()(xdp_program* one) const noexcept { xdp_program__close(one); }
  };
  const std::unique_ptr<xdp_program, Close> owner(program);
  // libxdp does not look at the section's name, and its dispatcher takes frames of several buffers
  // only where all the programs that it calls do.
  xdp_program__set_xdp_frags_support(program, true);

  // The process that is to take the program off must not lack a descriptor for it.
  UniqueFd place(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!place) throw_errno("opening /dev/null");

  const xdp_attach_mode libxdp_mode = mode == XdpMode::native ? XDP_MODE_NATIVE : XDP_MODE_SKB;
  const int error = -xdp_program__attach(program, ifindex, libxdp_mode, 0);
  if (error == 0) {
    ::dup3(count.fd(), place.get(), O_CLOEXEC);
    resident_ = {.fd = std::move(place), .mode = mode};
    attached_ = true;
    const auto info = program_info(resident_.fd.get());
    if (!info) throw_errno("asking the kernel about the XDP program");
    resident_.id = info->id;
    forgotten.keep(resident_.id);
    program_.emplace(duplicate(count.fd()));
    const auto now = find_interface(interface_.index);
    resident_.shared = now && !contains(now->programs, resident_.id);
    return {};
  }
  if ((error == EBUSY || error == EEXIST) && !neighbours.empty()) {
    // Nothing of theirs is touched.
    const XdpMode their_mode = neighbours[0].mode;
    if (their_mode != mode && !programs_in_dispatcher(neighbours).empty())
      throw std::runtime_error(fmt::format(
          "interface {} has XDP programs in {} mode already: {}. Use --mode {}", interface_.name,
          name_of(their_mode), describe(neighbours), name_of(their_mode)));
    throw std::runtime_error(fmt::format(
        "interface {} has an XDP program already, and this kernel or that program does not let "
        "two share it: {}. Remove it first, for example with: {}",
        interface_.name, describe(neighbours), removal_command(interface_.name, their_mode)));
  }
  return reason_for(error, messages);
}

// The reason is kept in the program's memory too: an agent that adopts it has not seen why.
void Attachment::explain_mode(std::string reason) {
  mode_reason_ = std::move(reason);
  auto& kept = program_->state().mode_reason;
  mode_reason_.copy(kept.data(), kept.size() - 1);
}

void Attachment::detach() {
  if (!attached_) return;
  if (adopted_) {
    resident_.owner.give_up();
    log::info("program {} was left on {} with all that it has counted: the next start adopts it",
              resident_.id, interface_.name);
  } else {
    remove_program(interface_, resident_);
  }
  attached_ = false;
}

}  // namespace xdp_count
