// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <fmt/format.h>

#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/printable.hpp"
#include "metrics/metrics_text.hpp"

namespace xdp_count {

enum class MetricType { counter, gauge, info };

// What several series have in common. Names are without the suffix that a counter or an info has.
struct MetricFamily {
  MetricType type;
  std::string_view name;
  std::string_view help;       // a sentence without a backslash or a newline
  std::string_view unit = {};  // the name's end, where the values have one
};

struct MetricLabel {
  std::string_view name;
  std::string value;
};

// Writes families, each with its series in one piece, as both formats ask for.
class MetricsWriter {
 public:
  explicit MetricsWriter(MetricsFormat format) : format_(format) {}

  // The series that follow are of `family`, which is named where there is one at the least.
  void begin(const MetricFamily& family) {
    family_ = family;
    named_ = false;
  }

  // A whole number is written with all of its digits.
  template <class Value>
  void series(std::span<const MetricLabel> labels, Value value) {
    name_family();
    text_ += sample_name();
    for (std::size_t i = 0; i < labels.size(); ++i) {
      text_ += i == 0 ? '{' : ',';
      text_.append(labels[i].name) += "=\"";
      escape(labels[i].value);
      text_ += '"';
    }
    if (!labels.empty()) text_ += '}';
    fmt::format_to(std::back_inserter(text_), " {}\n", value);
  }

  std::string take() {
    if (format_ == MetricsFormat::open_metrics) text_ += "# EOF\n";
    return std::move(text_);
  }

 private:
  std::string sample_name() const {
    std::string name(family_.name);
    if (family_.type == MetricType::counter) name += "_total";
    if (family_.type == MetricType::info) name += "_info";
    return name;
  }

  // The older format knows neither units nor infos, and calls a family what its samples are called.
  void name_family() {
    if (std::exchange(named_, true)) return;
    const bool open = format_ == MetricsFormat::open_metrics;
    const std::string name = open ? std::string(family_.name) : sample_name();
    const char* type = family_.type == MetricType::counter        ? "counter"
                       : open && family_.type == MetricType::info ? "info"
                                                                  : "gauge";
    const auto out = std::back_inserter(text_);
    fmt::format_to(out, "# HELP {} {}\n# TYPE {} {}\n", name, family_.help, name, type);
    if (open && !family_.unit.empty()) fmt::format_to(out, "# UNIT {} {}\n", name, family_.unit);
  }

  // What is not UTF-8, as a socket's name may be, would spoil all of the text: printable() writes
  // such bytes as \xNN.
  void escape(std::string_view text) {
    const std::string value = printable(text);
    for (const char c : value) {
      if (c == '\\' || c == '"') text_ += '\\';
      text_ += c;
    }
  }

  MetricsFormat format_;
  MetricFamily family_{};
  bool named_ = false;
  std::string text_;
};

}  // namespace xdp_count
