// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The program on the interface, through libxdp.
#pragma once

#include <memory>
#include <string>

#include "count_program.hpp"
#include "network_interface.hpp"
#include "options.hpp"

struct xdp_program;

namespace xdp_count {

enum class XdpMode { native, generic };
const char* name_of(XdpMode mode);

// Our program, loaded and attached to one interface. Blocks in system calls, and on libxdp's lock:
// not for the I/O thread. One thread at a time.
class Attachment {
 public:
  // Attaches by the mode asked for; `automatic` tries native, then generic. Throws
  // std::runtime_error whose text says what failed, why in the kernel's words, and what to do.
  Attachment(const NetworkInterface& interface, ModeChoice choice, const ProgramSettings& settings);

  // Detaches, when detach() has not been called; a failure is logged.
  ~Attachment();
  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;

  // Takes our program off the interface and leaves every other one there. The maps stay readable
  // until this object goes. A second call does nothing. Throws std::system_error.
  void detach();

  CountProgram& program() noexcept { return *program_; }
  const CountProgram& program() const noexcept { return *program_; }
  XdpMode mode() const noexcept { return mode_; }
  // Why this mode: a phrase for people.
  const std::string& mode_reason() const noexcept { return mode_reason_; }

 private:
  struct CloseProgram {
    void operator()(xdp_program* program) const noexcept;
  };

  // Nothing when it worked, else the reason.
  std::string try_attach(XdpMode mode, const ProgramSettings& settings);

  NetworkInterface interface_;
  std::unique_ptr<CountProgram> program_;  // outlives xdp_program_, which refers to it
  std::unique_ptr<xdp_program, CloseProgram> xdp_program_;
  XdpMode mode_ = XdpMode::native;
  std::string mode_reason_;
  bool attached_ = false;
};

}  // namespace xdp_count
