// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The program on the interface, through libxdp.
#pragma once

#include <optional>
#include <string>

#include "interface/network_interface.hpp"
#include "interface/resident_program.hpp"
#include "model/settings.hpp"
#include "program/count_program.hpp"
#include "program/running_program.hpp"

namespace xdp_count {

// What the program is to be for an agent with these settings.
ProgramSettings program_settings(const Settings& settings, const NetworkInterface& interface);

// Why an agent with these settings cannot go on with a program that was left: a phrase such as "has
// other settings", or nullptr where it can. Throws std::system_error.
const char* difference_from(const ResidentProgram& program, ModeChoice choice,
                            const ProgramSettings& settings);

// Our program on one interface: attached, or found there and adopted. Blocks in system calls, and
// on libxdp's lock: not for the I/O thread. One thread at a time.
class Attachment {
 public:
  // Adopts the program that an agent left on the interface, if it has these settings and is in a
  // mode that `choice` allows; otherwise takes it off. Attaches by the mode asked for; `automatic`
  // tries native, then generic. Throws std::runtime_error whose text says what failed, why in the
  // kernel's words, and what to do.
  Attachment(const NetworkInterface& interface, ModeChoice choice, const ProgramSettings& settings);

  // Calls detach(); a failure is logged.
  ~Attachment();
  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;

  // Takes our program off the interface and leaves every other one there. One that was adopted
  // stays, with all that it has counted, for the next start. The maps stay readable until this
  // object goes. Does nothing once it has been done. Throws std::system_error.
  void detach();

  // From now on another process takes the program off, and detach() does nothing. For a program
  // that was adopted, this is called once what it has counted is served: whoever ends the agent
  // then means to end the program too.
  void release() noexcept { attached_ = false; }
  bool attached() const noexcept { return attached_; }

  RunningProgram& program() noexcept { return *program_; }
  const RunningProgram& program() const noexcept { return *program_; }
  bool adopted() const noexcept { return adopted_; }
  XdpMode mode() const noexcept { return resident_.mode; }
  // Whether other programs are on the interface too, or may come: libxdp's dispatcher is in use.
  bool shared() const noexcept { return resident_.shared; }
  // Why this mode: a phrase for people.
  const std::string& mode_reason() const noexcept { return mode_reason_; }

 private:
  // Nothing is attached yet. With this the destructor runs too where what follows throws.
  explicit Attachment(const NetworkInterface& interface) : interface_(interface) {}

  bool adopt(ModeChoice choice, const ProgramSettings& settings);
  void attach(ModeChoice choice, const ProgramSettings& settings);
  // Nothing when it worked, else the reason.
  std::string try_attach(XdpMode mode, const ProgramSettings& settings);
  void explain_mode(std::string reason);

  NetworkInterface interface_;
  ResidentProgram resident_;
  std::optional<RunningProgram> program_;
  std::string mode_reason_;
  bool adopted_ = false;
  bool attached_ = false;
};

}  // namespace xdp_count
