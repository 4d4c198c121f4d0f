// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Queries that look at every source of the ledger, which takes too long for the thread that serves
// the clients. Know no thread and do no I/O.
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "counting/network_sums.hpp"
#include "counting/tally.hpp"
#include "model/request.hpp"
#include "model/snapshot.hpp"

namespace xdp_count {

// Of a line of `list`, of which two have room in the least --client-memory.
inline constexpr std::size_t max_part_rows = 900;
inline constexpr std::size_t max_part_sums = 850;  // the same where rows are sums, which are longer

// The calls have this order: select() until it is true, prepare(), next_part() until is_done().
// Nothing is thrown but std::bad_alloc. One thread at a time.
class Query {
 public:
  explicit Query(std::string id) : id_(std::move(id)) {}
  virtual ~Query() = default;
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  // The id of the request, as in Request.
  const std::string& id() const noexcept { return id_; }

  // Takes from the ledger what the answer is made of. False, and nothing taken, when `give_way`
  // became true on the way. Runs on any thread, while nobody writes the tally or its ledger.
  virtual bool select(const std::atomic<bool>& give_way) = 0;

  // Does what is left to be done before the first part, without a look at the ledger. Runs on any
  // thread.
  virtual void prepare() = 0;

  // The next line of the answer; there is at least one. The last one frees what select() took. Runs
  // on any thread.
  virtual std::string next_part() = 0;
  virtual bool is_done() const = 0;

  // The most bytes that wait for the client at a time, once selected: lines, and the rows that they
  // are made of where it is not large. Fewer once prepared.
  virtual std::size_t memory() const = 0;

  // Whether, once selected, it may hold as many rows as there are sources.
  virtual bool is_large() const = 0;

 private:
  std::string id_;
};

// The highest sources or networks, in one line.
class TopQuery : public Query {
 public:
  // `tally` outlives the query.
  TopQuery(const Tally& tally, std::string id, TopRequest request);

  bool select(const std::atomic<bool>& give_way) override;
  void prepare() override;
  std::string next_part() override;
  bool is_done() const override { return line_.empty(); }
  std::size_t memory() const override;
  bool is_large() const override { return request_.group.has_value(); }

 private:
  const Tally& tally_;
  TopRequest request_;
  SnapshotHead head_;
  std::optional<NetworkSums> sums_;  // where there is a group: what rows_ will be made of
  std::vector<SourceRow> rows_;
  std::optional<std::vector<double>> slices_;
  std::string line_;
};

// All sources or networks that are asked for, in numeric order, in lines of at most max_part_rows.
class ListQuery : public Query {
 public:
  // `tally` outlives the query.
  ListQuery(const Tally& tally, std::string id, ListRequest request);

  bool select(const std::atomic<bool>& give_way) override;
  void prepare() override;
  std::string next_part() override;
  bool is_done() const override { return done_; }
  std::size_t memory() const override;
  bool is_large() const override { return true; }

 private:
  std::size_t part_rows() const { return request_.group ? max_part_sums : max_part_rows; }
  bool asks_for_rates() const { return request_.min_pps > 0 || request_.min_bps > 0; }
  bool has_least(const Counts& total, const Rates& rates) const;
  void take(const LedgerEntry& entry);
  void keep_lowest();

  const Tally& tally_;
  ListRequest request_;
  SnapshotHead head_;
  std::optional<NetworkSums> sums_;  // where there is a group: what rows_ will be made of
  std::vector<SourceRow> rows_;      // 200 bytes each
  std::size_t next_ = 0;             // of rows_
  bool done_ = false;
};

}  // namespace xdp_count
