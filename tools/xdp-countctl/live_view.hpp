// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What `top` shows on a terminal, and what the keys do. Pure: knows no terminal and no socket.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "model/request.hpp"
#include "model/snapshot.hpp"
#include "protocol/json_decoding.hpp"
#include "rate_history.hpp"

namespace xdp_count {

enum class Style { plain, strong, titles, trend, alert };

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
}  // namespace key

class LiveView {
 public:
  struct Settings {
    SortKey by = SortKey::pps;
    std::optional<Prefix> prefix = {};
    std::size_t most_rows = max_top;
    bool utf8 = true;  // what the terminal can show
  };

  explicit LiveView(const Settings& settings) : settings_(settings) {}

  // The sources to subscribe to: as many as can fit the screen.
  Selection selection() const;

  // What happens. Each changes what screen() returns from then on.
  void resize(ScreenSize size) { size_ = size; }
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
    RateHistory history;
  };

  void type(int key);
  void take_prefix();
  const Picture& picture() const { return paused_ ? *paused_ : newest_; }
  std::vector<ScreenLine> head_lines() const;
  std::vector<ScreenLine> source_lines(std::size_t most) const;
  ScreenLine footer() const;

  Settings settings_;
  ScreenSize size_;
  Picture newest_;
  std::optional<Picture> paused_;
  std::optional<std::string> lost_;   // why there is no agent
  std::optional<std::string> typed_;  // a prefix, while it is asked for
  std::string complaint_;             // until the next key
  bool help_ = false;
};

}  // namespace xdp_count
