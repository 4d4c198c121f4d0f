// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The words for the model's enumerations, on the command line, in the protocol and on the screen.
#pragma once

#include <array>
#include <string_view>

#include "base/name_table.hpp"
#include "model/event.hpp"
#include "model/row_kind.hpp"
#include "model/settings.hpp"
#include "model/snapshot.hpp"
#include "model/xdp_mode.hpp"

namespace xdp_count {

// The names are in the order of FrameClass.
inline constexpr std::array<const char*, frame_classes> frame_class_names{"ipv4", "ipv6", "arp",
                                                                          "other", "malformed"};
static_assert(frame_class_names.back() != nullptr, "each class has a name");

// The names are in the order of Family.
inline constexpr std::array<Name<Family>, families> family_names{
    {{"ipv4", Family::ipv4}, {"ipv6", Family::ipv6}}};

// What the frames of an interface begin with.
inline constexpr const char* link_ethernet = "ethernet";
inline constexpr const char* link_ip = "ip";

// The names are in the order of EventKind.
inline constexpr std::array<const char*, event_kinds> event_names{"new_source", "sample"};

// The names are in the order of RecentWindow.
inline constexpr std::array<const char*, recent_windows> recent_window_names{"last_10s",
                                                                             "last_60s"};

inline constexpr std::array<Name<SortKey>, 8> sort_key_names{{{"pps", SortKey::pps},
                                                              {"bps", SortKey::bps},
                                                              {"packets", SortKey::packets},
                                                              {"bytes", SortKey::bytes},
                                                              {"pps_10s", SortKey::pps_10s},
                                                              {"bps_10s", SortKey::bps_10s},
                                                              {"pps_60s", SortKey::pps_60s},
                                                              {"bps_60s", SortKey::bps_60s}}};
inline constexpr std::array<Name<ModeChoice>, 3> mode_choice_names{
    {{"auto", std::nullopt}, {"native", XdpMode::native}, {"generic", XdpMode::generic}}};
inline constexpr std::array<Name<Verdict>, 2> verdict_names{
    {{"pass", Verdict::pass}, {"drop", Verdict::drop}}};
inline constexpr std::array<Name<FamilyChoice>, 3> family_choice_names{
    {{"both", FamilyChoice::both}, {"ipv4", FamilyChoice::ipv4}, {"ipv6", FamilyChoice::ipv6}}};
inline constexpr std::array<Name<CountBy>, 3> count_by_names{
    {{"source", CountBy::source}, {"destination", CountBy::destination}, {"pair", CountBy::pair}}};
// The field of a row that has its address; a pair has the other one for its peer.
constexpr const char* address_field(CountBy by) {
  return by == CountBy::destination ? "dst" : "src";
}
inline constexpr std::array<Name<OutputFormat>, 4> output_names{{{"live", OutputFormat::live},
                                                                 {"table", OutputFormat::table},
                                                                 {"json", OutputFormat::json},
                                                                 {"none", OutputFormat::none}}};

const char* name_of(SortKey by);
// As people write it: IPv4.
const char* name_of(Family family);
const char* name_of(XdpMode mode);
const char* name_of(ModeChoice choice);
const char* name_of(Verdict verdict);
const char* name_of(FamilyChoice choice);
const char* name_of(CountBy by);
const char* name_of(OutputFormat output);

// What has this name. Throw std::out_of_range when nothing has.
XdpMode xdp_mode_named(std::string_view name);
ModeChoice mode_choice_named(std::string_view name);
Verdict verdict_named(std::string_view name);
FamilyChoice family_choice_named(std::string_view name);
CountBy count_by_named(std::string_view name);
OutputFormat output_named(std::string_view name);

}  // namespace xdp_count
