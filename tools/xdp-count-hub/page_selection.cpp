// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "page_selection.hpp"

#include <fmt/core.h>

#include <charconv>
#include <stdexcept>

#include "base/address.hpp"
#include "model/names.hpp"

namespace xdp_count {
namespace {

constexpr std::size_t default_rows = 50;
constexpr std::size_t most_rows = 500;

std::optional<unsigned> number_in(std::string_view text, unsigned most, int base = 10) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size() || value > most) return std::nullopt;
  return value;
}

// application/x-www-form-urlencoded (URL standard, 5.1); what is no escape stands for itself.
std::string decoded(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = text[i] == '%' && i + 2 < text.size()
                          ? number_in(text.substr(i + 1, 2), 255, 16)
                          : std::nullopt;
    if (byte) i += 2;
    plain += byte ? static_cast<char>(*byte) : text[i] == '+' ? ' ' : text[i];
  }
  return plain;
}

// "24,48": the lengths of IPv4 and IPv6 networks.
Grouping grouping_in(const std::string& text) {
  const std::string_view lengths = text;
  const auto comma = lengths.find(',');
  Grouping group;
  if (comma != lengths.npos) {
    group.of(Family::ipv4) = number_in(lengths.substr(0, comma), bits_of(Family::ipv4));
    group.of(Family::ipv6) = number_in(lengths.substr(comma + 1), bits_of(Family::ipv6));
  }
  if (!group.of(Family::ipv4) || !group.of(Family::ipv6))
    throw std::runtime_error("group: expected two lengths, such as 24,48");
  return group;
}

void take(PageSelection& page, const std::string& name, const std::string& value) {
  Selection& selection = page.rows.selection;
  if (name == "agent") {
    page.agent = value;
  } else if (name == "by") {
    const auto by = find_named(sort_key_names, value);
    if (!by) throw std::runtime_error("by: there is no such order");
    selection.by = *by;
  } else if (name == "prefix") {
    selection.prefix = parse_typed_prefix(value);
    if (selection.prefix) return;
    const std::string reason = host_bits_error(value);
    throw std::runtime_error(
        reason.empty() ? "expected an address or a network, such as 192.0.2.0/24 or 2001:db8::/32"
                       : reason);
  } else if (name == "family") {
    selection.family = find_named(family_names, value);
    if (!selection.family) throw std::runtime_error("family: expected ipv4 or ipv6");
  } else if (name == "group") {
    page.rows.group = grouping_in(value);
  } else if (name == "top") {
    const auto top = number_in(value, most_rows);
    if (!top) throw std::runtime_error(fmt::format("top: expected at most {} rows", most_rows));
    selection.top = *top;
  } else {
    throw std::runtime_error("the page does not know a part of its address");
  }
}

}  // namespace

PageSelection parse_page_selection(std::string_view query) {
  PageSelection page;
  page.rows.selection.top = default_rows;
  while (!query.empty()) {
    const std::string_view field = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), field.size() + 1));
    const auto equals = std::min(field.find('='), field.size());
    const std::string value = decoded(field.substr(std::min(field.size(), equals + 1)));
    if (value.empty()) continue;  // a field that somebody has left empty
    try {
      take(page, decoded(field.substr(0, equals)), value);
    } catch (const std::runtime_error& error) {
      page.error = error.what();
    }
  }
  // The trend of a sum is not known.
  if (!page.rows.group) page.rows.selection.trend = max_trend;
  return page;
}

}  // namespace xdp_count
