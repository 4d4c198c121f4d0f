// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "new_sources.hpp"

#include <utility>

#include "page_json.hpp"

namespace xdp_count {

NewSources::Text NewSources::look(const std::string& id, Clock::time_point now) {
  looked_at_ = now;
  if (is_changed_ && (!text_ || now - written_at_ >= pause)) {
    text_ =
        std::make_shared<const std::string>(event_text("new_sources", new_sources_json(id, seen_)));
    written_at_ = now;
    is_changed_ = false;
  }
  return text_;
}

std::optional<bool> NewSources::next(Clock::time_point now, std::int64_t time) {
  const bool is_wanted = looked_at_ && now - *looked_at_ <= kept;
  if (is_wanted == is_asked_) return std::nullopt;
  is_asked_ = is_wanted;
  // What came while nobody looked is not known: it begins anew.
  if (is_wanted) {
    seen_ = {.since = time};
    text_.reset();
    is_changed_ = true;
  }
  return is_wanted;
}

void NewSources::add(EventMessage event) {
  if (!is_asked_) return;  // on its way when nobody looked any more
  ++seen_.came;
  seen_.lost += event.lost;
  seen_.newest.push_front(std::move(event));
  if (seen_.newest.size() > most) seen_.newest.pop_back();
  is_changed_ = true;
}

void NewSources::lose() {
  is_asked_ = false;
  looked_at_.reset();
}

}  // namespace xdp_count
