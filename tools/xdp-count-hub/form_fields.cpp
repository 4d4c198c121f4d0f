// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "form_fields.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <utility>

#include "model/names.hpp"

namespace xdp_count {
namespace {

std::optional<unsigned> number_in(std::string_view text, unsigned most, int base) {
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

}  // namespace

std::vector<FormField> form_fields(std::string_view query) {
  std::vector<FormField> fields;
  while (!query.empty()) {
    const std::string_view field = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), field.size() + 1));
    const auto equals = std::min(field.find('='), field.size());
    std::string value = decoded(field.substr(std::min(field.size(), equals + 1)));
    if (!value.empty()) fields.push_back({decoded(field.substr(0, equals)), std::move(value)});
  }
  return fields;
}

std::optional<unsigned> form_number(std::string_view text, unsigned most) {
  return number_in(text, most, 10);
}

Prefix form_prefix(const std::string& text) {
  if (const auto prefix = parse_typed_prefix(text)) return *prefix;
  const std::string reason = host_bits_error(text);
  throw std::runtime_error(
      reason.empty() ? "expected an address or a network, such as 192.0.2.0/24 or 2001:db8::/32"
                     : reason);
}

Family form_family(const std::string& text) {
  if (const auto family = find_named(family_names, text)) return *family;
  throw std::runtime_error("family: expected ipv4 or ipv6");
}

Grouping form_grouping(const std::string& text) {
  const std::string_view lengths = text;
  const auto comma = lengths.find(',');
  Grouping group;
  if (comma != lengths.npos) {
    group.of(Family::ipv4) = form_number(lengths.substr(0, comma), bits_of(Family::ipv4));
    group.of(Family::ipv6) = form_number(lengths.substr(comma + 1), bits_of(Family::ipv6));
  }
  if (!group.of(Family::ipv4) || !group.of(Family::ipv6))
    throw std::runtime_error("group: expected two lengths, such as 24,48");
  return group;
}

}  // namespace xdp_count
