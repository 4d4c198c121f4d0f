// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The part of an address behind "?", as browsers encode forms, and what its values mean. What
// throws throws std::runtime_error, which says what was expected.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hpp"
#include "model/row_kind.hpp"

namespace xdp_count {

struct FormField {
  std::string name;
  std::string value;  // never empty
};

// Those that somebody has left empty are not among them.
std::vector<FormField> form_fields(std::string_view query);

// Nothing for what is no decimal number up to `most`.
std::optional<unsigned> form_number(std::string_view text, unsigned most);

// An address or a network.
Prefix form_prefix(const std::string& text);

// "ipv4" or "ipv6".
Family form_family(const std::string& text);

// "24,48": the lengths of IPv4 and IPv6 networks.
Grouping form_grouping(const std::string& text);

}  // namespace xdp_count
