// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// xdp-count: options, wiring, exit code.
#include <bpf/libbpf.h>
#include <fmt/ranges.h>
#include <malloc.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <cstdio>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "agent.hpp"
#include "base/error.hpp"
#include "base/ignored_signal.hpp"
#include "base/log.hpp"
#include "base/privileges.hpp"
#include "base/text_layout.hpp"
#include "host/host_requirements.hpp"
#include "interface/attachment.hpp"
#include "interface/interface_check.hpp"
#include "interface/interface_lock.hpp"
#include "live/terminal_ability.hpp"
#include "model/names.hpp"
#include "options.hpp"
#include "output/terminal_state.hpp"
#include "output/view_process.hpp"
#include "program/library_log.hpp"
#include "program/table_settings.hpp"

namespace {

using namespace xdp_count;
namespace asio = boost::asio;

// Throw std::runtime_error that says what is missing and what to do.
void check_capabilities() {
  if (const auto missing = missing_capabilities(); !missing.empty())
    throw std::runtime_error(fmt::format(
        "this needs root, or the capabilities that it was started without: {}. Try sudo.",
        fmt::join(missing, ", ")));
}

void check_host() {
  check_capabilities();
  if (const auto missing = missing_kernel_features(); !missing.empty())
    throw std::runtime_error(
        fmt::format("this kernel ({}) lacks: {}", kernel_release(), fmt::join(missing, ", ")));
}

NetworkInterface interface_named(const std::string& name) {
  if (auto interface = find_interface(name)) return *interface;
  throw std::runtime_error(fmt::format("there is no interface {}; there are: {}", name,
                                       fmt::join(interface_names(), ", ")));
}

// Stops the agent at the first signal that asks for it; those that follow are taken as the same.
asio::awaitable<void> stop_on_signal(asio::signal_set& signals, Agent& agent) {
  for (;;) {
    const auto [error, signal] = co_await signals.async_wait(asio::as_tuple(asio::use_awaitable));
    if (error) co_return;
    agent.stop(fmt::format("stopped by {}", signal == SIGINT    ? "SIGINT"
                                            : signal == SIGTERM ? "SIGTERM"
                                                                : "SIGHUP"));
  }
}

// Removes what a killed agent left, and nothing else.
void detach_left_program(const NetworkInterface& interface) {
  const InterfaceLock lock(interface);
  auto resident = resident_program(interface);
  if (!resident) {
    log::info("there is no program of xdp-count on {}: nothing to detach", interface.name);
    return;
  }
  take_over(interface, *resident);  // not under an agent that counts
  remove_program(interface, *resident);
  log::info("detached program {} from {}, where it was in {} mode", resident->id, interface.name,
            name_of(resident->mode));
}

ExitCode print_check(const NetworkInterface& interface, const Options& options) {
  const InterfaceCheck check = check_interface(interface, options.settings, possible_cpus());
  const std::string text =
      options.json ? json_of(check) : text_of(check, terminal_width(STDOUT_FILENO));
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    throw_errno("writing to standard output");
  return check.ok() ? exit_stopped : exit_failure;
}

// A view takes keys, and draws where it likes.
bool can_show_views() {
  return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1 && is_in_foreground() &&
         can_draw_screens();
}

// Where the terminal is not known there are plain tables, as where it has no cursor.
void show_view(std::optional<ViewProcess>& view, Settings& settings) {
  try {
    view.emplace(settings.interface);
  } catch (const UnknownTerminal& error) {
    log::warning("{}: no live view, but plain tables. With TERM=xterm there may be one",
                 error.what());
    settings.output = OutputFormat::table;
  }
}

int run(const Options& options, ViewProcess* view) {
  // A heap that learns to keep large blocks for the next time would keep what hostile clients once
  // made it take. Fixed, all of at least this size goes back to the kernel when it is freed.
  ::mallopt(M_MMAP_THRESHOLD, 128 * 1024);
  log::set_verbose(options.verbose);
  // A client or a pipe that goes away is an error of one write, not the end of the agent.
  std::signal(SIGPIPE, SIG_IGN);

  const NetworkInterface interface = interface_named(options.settings.interface);
  if (options.check) {
    check_capabilities();
    return print_check(interface, options);
  }
  check_host();
  if (options.detach) {
    detach_left_program(interface);
    return exit_stopped;
  }
  allow_open_files(options.settings.max_clients);

  asio::io_context io(1);
  asio::signal_set signals(io, SIGTERM);
  for (const int signal : {SIGINT, SIGHUP})
    if (!is_ignored(signal)) signals.add(signal);
  Agent agent(io, options.settings, interface, view);
  ExitCode exit_code = exit_failure;
  std::exception_ptr failure;
  asio::co_spawn(io, stop_on_signal(signals, agent), [](const std::exception_ptr& e) {
    if (e) std::rethrow_exception(e);
  });
  asio::co_spawn(io, agent.run(), [&](const std::exception_ptr& e, ExitCode code) {
    failure = e;
    exit_code = code;
    signals.cancel();  // the last thing that keeps the io_context running
  });
  io.run();
  if (failure) std::rethrow_exception(failure);
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  std::optional<log::Background> background;  // to the end, which may be an error
  try {
    redirect_library_messages();
    const int cpus = libbpf_num_possible_cpus();  // or a negative errno value
    const auto parsed =
        parse_options(std::vector<std::string>(argv + 1, argv + argc), ::isatty(STDOUT_FILENO) == 1,
                      cpus > 0 ? static_cast<unsigned>(cpus) : 0);
    if (const auto* early = std::get_if<EarlyExit>(&parsed)) {
      std::fputs(early->text.c_str(), early->code == 0 ? stdout : stderr);
      return early->code;
    }
    Options options = std::get<Options>(parsed);
    if (cpus <= 0 && !options.detach)
      throw_system_error(cpus < 0 ? -cpus : EINVAL,
                         "reading from /sys/devices/system/cpu/possible how many CPUs there may be "
                         "(mount sysfs at /sys)");
    forbid_new_privileges();
    std::optional<ViewProcess> view;  // it has given the terminal back when an error is printed
    OutputFormat& output = options.settings.output;
    if (output == OutputFormat::live && !can_show_views()) output = OutputFormat::table;
    if (output == OutputFormat::live && !options.check && !options.detach)
      show_view(view, options.settings);
    background.emplace();
    return run(options, view ? &*view : nullptr);
  } catch (const std::exception& error) {
    log::error("{}", error.what());
    return exit_failure;
  }
}
