// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What `top` shows on a terminal, and what the keys do. Pure: knows no terminal and no socket.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "live/rate_history.hpp"
#include "model/request.hpp"
#include "model/snapshot.hpp"
#include "protocol/json_decoding.hpp"

namespace xdp_count {

enum class Style { plain, strong, dim, titles, trend, alert, selected };

struct Span {
  std::string text;  // UTF-8
  Style style = Style::plain;
};
using ScreenLine = std::vector<Span>;

struct Screen {
  std::vector<ScreenLine> lines;      // from the top; they fit the size
  std::optional<std::size_t> cursor;  // the column in the last line, while text is typed there
};

struct ScreenSize {
  std::size_t columns = 80;
  std::size_t rows = 24;
};

// Keys are the characters that they send, and these for those of several names.
namespace key {
inline constexpr int enter = '\n';
inline constexpr int escape = 0x1b;
inline constexpr int erase = 0x7f;
inline constexpr int erase_line = 'U' & 0x1f;  // Ctrl-U
// No character has these numbers: Unicode ends before them.
inline constexpr int up = 0x110000;
inline constexpr int down = up + 1;
inline constexpr int page_up = up + 2;
inline constexpr int page_down = up + 3;
inline constexpr int home = up + 4;
inline constexpr int end = up + 5;
inline constexpr int nameless = up + 6;  // any key that is not here
}  // namespace key

class LiveView {
 public:
  using Clock = std::chrono::steady_clock;

  struct Settings {
    SortKey by = SortKey::pps;
    std::optional<Prefix> prefix = {};
    std::size_t most_rows = max_top;
    bool utf8 = true;  // what the terminal can show
  };

  explicit LiveView(const Settings& settings) : settings_(settings) {}

  // The sources to subscribe to: as many as can fit the screen, and those that it was scrolled
  // past.
  Selection selection() const;

  // What happens. Each changes what screen() returns from then on.
  void resize(ScreenSize size);
  // Sets the present time, which snapshots that come are given, and by which they are late. While
  // the view waits for a snapshot, what it shows changes once a second.
  void pass_time(Clock::time_point now) { now_ = now; }
  void show(const SnapshotMessage& message);
  void show(const SourcesMessage& message);  // the selected sources, between two snapshots
  void agent_lost(const std::string& reason) { lost_ = reason; }
  void agent_restored();  // it may be another one, whose totals are not known yet
  // Returns false when the key asked to end.
  bool press(int key);

  Screen screen() const;

 private:
  // All that comes from the agent, apart: while paused, what is shown is a copy of it.
  struct Picture {
    std::optional<SnapshotHead> head;
    std::vector<SourceRow> rows;
    std::uint64_t newly_untracked = 0;  // packets since the snapshot before
    std::uint64_t newly_evicted = 0;    // the same
    RateHistory history;
  };

  // What the screen has room for, from the top to the footer.
  struct Layout {
    std::vector<ScreenLine> above;        // warnings, totals
    std::vector<SourceRow> rows;          // all there are, in order
    std::optional<std::size_t> selected;  // of the rows, where the selected one is among them
    std::size_t first = 0;                // of the rows on the screen
    std::size_t room = 0;                 // for rows, below their titles
    // One past the last row on the screen.
    std::size_t end() const { return std::min(first + room, rows.size()); }
    std::vector<ScreenLine> below;  // details of the selected row
  };

  void type(int key);
  void take_prefix();
  void select(int key);
  bool press_in_help(int key);
  const Picture& picture() const { return paused_ ? *paused_ : newest_; }
  std::vector<SourceRow> ordered_rows() const;
  std::optional<std::chrono::seconds> silence() const;
  std::vector<ScreenLine> warnings() const;
  std::vector<ScreenLine> head_lines(const std::vector<SourceRow>& rows) const;
  std::string filter_sum(const std::vector<SourceRow>& rows) const;
  std::vector<ScreenLine> details(const SourceRow* row) const;
  Layout layout() const;
  std::vector<ScreenLine> source_lines(const Layout& layout) const;
  ScreenLine footer(const Layout& layout) const;
  std::vector<ScreenLine> help_lines() const;

  Settings settings_;
  ScreenSize size_;
  Clock::time_point now_;
  Clock::time_point arrived_;  // when the newest snapshot did
  Picture newest_;
  std::optional<Picture> paused_;
  std::optional<std::string> lost_;        // why there is no agent
  std::optional<std::string> typed_;       // a prefix, while it is asked for
  std::optional<std::uint32_t> selected_;  // the address of a row, wherever that moves to
  std::size_t first_row_ = 0;              // how many rows are above the screen
  bool details_ = false;
  std::string complaint_;  // until the next key
  bool help_ = false;
  std::size_t first_help_line_ = 0;
};

}  // namespace xdp_count
