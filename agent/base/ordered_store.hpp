// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <atomic>
#include <type_traits>

namespace xdp_count {

// Stores in one piece, after all that was stored before and before all that is stored afterwards:
// so whoever finds the memory of a process that was killed knows by such a word how far it had
// come. A process is killed between two instructions, and all that it stored by then stays: it is
// only the compiler that must not change the order.
template <class Word>
void store_in_order(Word& word, std::type_identity_t<Word> value) noexcept {
  std::atomic_signal_fence(std::memory_order_seq_cst);
  std::atomic_ref(word).store(value, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

}  // namespace xdp_count
