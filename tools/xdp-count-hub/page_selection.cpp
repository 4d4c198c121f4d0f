// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "page_selection.hpp"

#include <fmt/core.h>

#include <stdexcept>

#include "form_fields.hpp"
#include "model/names.hpp"

namespace xdp_count {
namespace {

constexpr std::size_t default_rows = 50;
constexpr std::size_t most_rows = 500;

void take(PageSelection& page, const std::string& name, const std::string& value) {
  Selection& selection = page.rows.selection;
  if (name == "agent") {
    page.agent = value;
  } else if (name == "by") {
    const auto by = find_named(sort_key_names, value);
    if (!by) throw std::runtime_error("by: there is no such order");
    selection.by = *by;
  } else if (name == "prefix") {
    selection.prefix = form_prefix(value);
  } else if (name == "family") {
    selection.family = form_family(value);
  } else if (name == "group") {
    page.rows.group = form_grouping(value);
  } else if (name == "top") {
    const auto top = form_number(value, most_rows);
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
  for (const FormField& field : form_fields(query)) try {
      take(page, field.name, field.value);
    } catch (const std::runtime_error& error) {
      page.error = error.what();
    }
  // The trend of a sum is not known.
  if (!page.rows.group) page.rows.selection.trend = max_trend;
  return page;
}

}  // namespace xdp_count
