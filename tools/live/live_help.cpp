// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "live/live_help.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "view/table_view.hpp"

namespace xdp_count {
namespace {

struct Entry {
  const char* word;  // a title where there is no text
  const char* text;
};

constexpr Entry entries[] = {
    {"Keys", ""},
    {"p b P B", "sort by packets/s, bits/s, packets, bytes"},
    {"a", "sort by averages: over 10 s, over 60 s, over the last interval again"},
    {"/", "one network alone: 192.0.2.0/24, 2001:db8::/32; nothing typed: all"},
    {"v", "show IPv4 sources alone, IPv6 sources alone, then both again"},
    {"i", "with several agents: each interface alone in turn, then all again"},
    {"space", "pause, and go on"},
    {"arrows", "select a row; PgUp, PgDn, Home, End and k j g G too; esc: none"},
    {"enter", "details of the selected row: first and last packet, averages, trend"},
    {"ctrl-l", "draw all anew, where something else has written on the screen"},
    {"h ?  q", "this help; quit"},
    {"Words", ""},
    {"frames", "all that the interface received, of every kind"},
    {"all", "the sum over the interfaces of several agents"},
    {"tracked", "sources that have exact counts, of as many as --max-sources allows"},
    {"untracked", "packets of sources without room, or of a family that is not counted"},
    {"evicted", "packets of sources that made room for others, counted here alone"},
    {"ipv4 ...", "frames by kind; malformed: no valid IP header, so without source"},
    {"pps bps", "packets and bits a second, over the last interval"},
    {"10S 60S", "over the last 10 and 60 seconds, or since the start; -: not known"},
    {"k M G", "thousands, millions, thousand millions: 1.2 k is 1,200"},
    {"TREND",
     "packets/s or bits/s in each second, or longer interval, of the last minute, against the "
     "highest; a dot or _: nothing; blank: not known"},
};
constexpr std::size_t text_column = 11;
constexpr std::size_t least_text = 20;  // of its width, beside the words

}  // namespace

std::vector<std::string> live_help(std::size_t width) {
  std::vector<std::string> lines;
  for (const Entry& entry : entries) {
    if (*entry.text == '\0') {
      lines.emplace_back(entry.word);
      continue;
    }
    const std::size_t room = width - std::min(width, text_column + 1);
    if (room < least_text) {
      // The text stands below its word.
      lines.push_back(fmt::format(" {}", entry.word));
      for (const std::string& text :
           word_wrapped(entry.text, width - std::min<std::size_t>(width, 2)))
        lines.push_back("  " + text);
      continue;
    }
    bool first = true;
    for (const std::string& text : word_wrapped(entry.text, room)) {
      lines.push_back(fmt::format(" {:<{}}{}", first ? entry.word : "", text_column, text));
      first = false;
    }
  }
  return lines;
}

}  // namespace xdp_count
