// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "interface/interface_check.hpp"

#include <fmt/ranges.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "host/host_requirements.hpp"
#include "interface/attached_programs.hpp"
#include "interface/attachment.hpp"
#include "interface/native_mode_remedy.hpp"
#include "interface/resident_program.hpp"
#include "model/names.hpp"
#include "program/memory_need.hpp"
#include "view/table_view.hpp"

namespace xdp_count {
namespace {

// A frame of more than this, headers included, does not fit in the page of a driver that takes one
// buffer a frame: what is left of 4096 bytes beside XDP_PACKET_HEADROOM and skb_shared_info.
constexpr unsigned one_buffer_mtu = 3498;

std::uint64_t available_memory() {
  std::ifstream file("/proc/meminfo");
  for (std::string name, rest; file >> name && std::getline(file, rest);)
    if (name == "MemAvailable:") return std::stoull(rest) << 10;
  return 0;
}

void check_mode(InterfaceCheck& check, ModeChoice choice) {
  const std::string driver =
      check.driver.name.empty() ? "the driver" : "driver " + check.driver.name;
  check.mode = XdpMode::generic;
  if (choice == XdpMode::generic) {
    check.mode_reason = "asked for";
    return;
  }
  if (check.driver.native_xdp == false) {
    check.mode_reason = driver + " has no XDP of its own";
    if (choice == XdpMode::native)
      check.obstacles.push_back("native mode: " + check.mode_reason + "; use --mode generic");
    return;
  }
  check.mode = XdpMode::native;
  check.mode_reason = check.driver.native_xdp ? driver + " has XDP"
                                              : "whether " + driver +
                                                    " has XDP only trying would show: the kernel "
                                                    "says so since 6.3";
  const auto doubt = [&](const std::string& why, const std::string& failure) {
    check.doubts.push_back(why + ": " +
                           native_mode_remedy(failure, check.interface.name, check.interface.mtu));
  };
  if (check.driver.native_xdp && !check.driver.several_buffers &&
      check.interface.mtu > one_buffer_mtu)
    doubt(driver + " takes one buffer a frame, and the frames may be larger", "mtu");
  if (check.driver.lro) doubt("large receive offload is on", "lro");
}

void check_programs(InterfaceCheck& check, const Settings& settings) {
  const auto& on_interface = check.interface.programs;
  check.programs = describe(on_interface);
  const auto resident = resident_program(check.interface);
  if (!resident) {
    if (!on_interface.empty() && programs_in_dispatcher(on_interface).empty())
      check.obstacles.push_back(
          fmt::format("an XDP program is there already, and may not let another one share the "
                      "interface: {}. To remove it: {}",
                      check.programs, removal_command(check.interface.name, on_interface[0].mode)));
    return;
  }
  check.ours.program_id = resident->id;
  const ProgramOwner::State owner = resident->owner.state();
  if (owner != ProgramOwner::State::nobody) {
    check.ours.agent = resident->owner.pid();
    check.obstacles.push_back(fmt::format(
        "xdp-count with pid {}{} counts there already", check.ours.agent,
        owner == ProgramOwner::State::hidden ? " (which /proc does not show here)" : ""));
    return;
  }
  const char* difference =
      difference_from(*resident, settings.mode, program_settings(settings, check.interface));
  if (difference) {
    check.ours.fate = fmt::format("replaced, since it {}", difference);
  } else {
    check.ours.fate = "adopted, with all that it has counted";
    check.mode = resident->mode;
    check.mode_reason = "of the program that was left";
    check.doubts.clear();
  }
}

void check_memory(InterfaceCheck& check, const Settings& settings, unsigned possible_cpus) {
  const MemoryNeed need = memory_need(settings, possible_cpus);
  check.map_bytes = need.maps;
  check.ledger_bytes = need.ledger;
  check.recent_bytes = need.recent;
  check.client_bytes = std::uint64_t{settings.client_memory} << 20;
  check.available_bytes = available_memory();
  const std::uint64_t all = need.maps + need.ledger + need.recent;
  if (check.ours.program_id == 0 && all > check.available_bytes)
    check.obstacles.push_back(
        fmt::format("it takes {} MiB, and {} MiB are available: lower --max-sources", all >> 20,
                    check.available_bytes >> 20));
}

}  // namespace

InterfaceCheck check_interface(const NetworkInterface& interface, const Settings& settings,
                               unsigned possible_cpus) {
  InterfaceCheck check{.interface = interface, .driver = driver_facts(interface)};
  if (const auto refusal = refusal_of(interface.name, interface.link))
    check.obstacles.push_back(*refusal);
  for (const std::string& feature : missing_kernel_features())
    check.obstacles.push_back("this kernel (" + kernel_release() + ") lacks: " + feature);
  check_mode(check, settings.mode);
  check_programs(check, settings);
  check_memory(check, settings, possible_cpus);
  return check;
}

std::string text_of(const InterfaceCheck& check, std::size_t width) {
  const NetworkInterface& interface = check.interface;
  std::vector<std::string> lines;
  const auto add = [&](const char* name, const std::string& text) {
    for (std::string& line : named_line(name, text, width)) lines.push_back(std::move(line));
  };
  add("interface", fmt::format("{} (index {}{}), MTU {}, {}", interface.name, interface.index,
                               check.driver.name.empty() ? "" : ", driver " + check.driver.name,
                               interface.mtu, interface.up ? "up" : "down"));
  add("mode", fmt::format("{} ({})", name_of(check.mode), check.mode_reason));
  add("programs", check.programs.empty() ? "none" : check.programs);
  if (!check.ours.fate.empty())
    add("left", fmt::format("program {} would be {}", check.ours.program_id, check.ours.fate));
  add("memory",
      fmt::format("{} of kernel maps, {} of ledger, at most {} for the last minute and {} for "
                  "clients; {} available",
                  binary_size(check.map_bytes), binary_size(check.ledger_bytes),
                  binary_size(check.recent_bytes), binary_size(check.client_bytes),
                  binary_size(check.available_bytes)));
  for (const std::string& doubt : check.doubts) add("perhaps", doubt);
  for (const std::string& obstacle : check.obstacles) add("obstacle", obstacle);
  lines.emplace_back(check.ok() ? "xdp-count would count here" : "xdp-count would not count here");
  return joined(lines);
}

std::string json_of(const InterfaceCheck& check) {
  using nlohmann::json;
  const NetworkInterface& interface = check.interface;
  json programs = json::array();
  for (const AttachedProgram& program : interface.programs)
    programs.push_back({{"id", program.id}, {"mode", name_of(program.mode)}});
  json ours = nullptr;
  if (check.ours.program_id != 0)
    ours = {{"program", check.ours.program_id},
            {"agent", check.ours.agent == 0 ? json(nullptr) : json(check.ours.agent)},
            {"fate", check.ours.fate.empty() ? json(nullptr) : json(check.ours.fate)}};
  const json native = check.driver.native_xdp ? json(*check.driver.native_xdp) : json(nullptr);
  const json object{{"type", "check"},
                    {"v", 1},
                    {"ok", check.ok()},
                    {"interface", interface.name},
                    {"ifindex", interface.index},
                    {"up", interface.up},
                    {"mtu", interface.mtu},
                    {"driver", check.driver.name},
                    {"driver_has_xdp", native},
                    {"mode", name_of(check.mode)},
                    {"mode_reason", check.mode_reason},
                    {"programs", programs},
                    {"ours", ours},
                    {"memory",
                     {{"maps", check.map_bytes},
                      {"ledger", check.ledger_bytes},
                      {"recent", check.recent_bytes},
                      {"clients", check.client_bytes},
                      {"available", check.available_bytes}}},
                    {"doubts", check.doubts},
                    {"obstacles", check.obstacles}};
  return object.dump(-1, ' ', true, json::error_handler_t::replace) + "\n";
}

}  // namespace xdp_count
