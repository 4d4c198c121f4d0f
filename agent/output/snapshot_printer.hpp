// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/background_writer.hpp"
#include "counting/tally.hpp"
#include "model/settings.hpp"

namespace xdp_count {

// --output: prints each snapshot to standard output, or skips it whole while an earlier one is
// still being taken.
class SnapshotPrinter {
 public:
  // `top` is how many sources to print at most. `on_closed` is called, on another thread, when the
  // reader has gone away.
  SnapshotPrinter(OutputFormat format, std::size_t top, std::function<void()> on_closed);

  // What print() is to be given for this tally: empty where nothing is printed. Not to be called at
  // the same time as print().
  std::string text_for(const Tally& tally);
  void print(std::string text);

  // Waits, half a second at most, until what was printed has been written, so that what is logged
  // from now on stands below it.
  void finish() { output_.drain(); }

 private:
  OutputFormat format_;
  std::size_t top_;
  std::uint64_t skipped_ = 0;
  BackgroundWriter output_;
};

}  // namespace xdp_count
