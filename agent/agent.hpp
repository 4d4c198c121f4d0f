// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The agent's life: attach, tick after tick, detach.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <optional>
#include <string>

#include "async/gate.hpp"
#include "host/privileged_process.hpp"
#include "host/service_manager.hpp"
#include "interface/attachment.hpp"
#include "interface/interface_lock.hpp"
#include "interface/interface_sighting.hpp"
#include "interface/interface_watch.hpp"
#include "interface/network_interface.hpp"
#include "model/exit_code.hpp"
#include "model/settings.hpp"
#include "output/snapshot_printer.hpp"
#include "output/view_process.hpp"
#include "program/counting.hpp"
#include "server/event_stream.hpp"
#include "server/request_handler.hpp"
#include "server/server.hpp"
#include "server/socket_file.hpp"
#include "ticker.hpp"

namespace xdp_count {

class Agent {
 public:
  // Takes the interface's lock and the socket's place, and touches nothing else yet. `io` and the
  // agent live on one thread. `view` shows the live view, where there is one. Throws
  // std::system_error or std::runtime_error.
  Agent(boost::asio::io_context& io, Settings settings, NetworkInterface interface,
        ViewProcess* view);

  // Attaches, counts until stop() or until the interface or our program on it is gone, detaches,
  // and says how to exit. Throws what went wrong; our program is off the interface then too.
  boost::asio::awaitable<ExitCode> run();

  // Ends run() after the tick that is under way. Clients are sent `reason`.
  void stop(std::string reason);

 private:
  void keep_rights_elsewhere();
  boost::asio::awaitable<void> attach();
  NicStart start_of_nic();
  boost::asio::awaitable<ExitCode> count();
  boost::asio::awaitable<std::optional<Ending>> tick();
  boost::asio::awaitable<std::optional<Ending>> look();  // without a tick
  Sighting see_interface();
  boost::asio::awaitable<std::optional<Ending>> follow_interface(const Sighting& seen);
  void watch();
  boost::asio::awaitable<void> begin_view();
  boost::asio::awaitable<void> follow_view();
  void fail_by_view(const std::string& what);
  boost::asio::awaitable<void> leave_interface();
  boost::asio::awaitable<void> say_goodbye(std::string reason, bool is_logged = false);
  Status status() const;
  EventCounts event_counts(EventKind kind) const;
  EventLosses events_lost() const;

  boost::asio::io_context& io_;
  Settings settings_;
  NetworkInterface interface_;  // as it was last seen
  LinkQuery link_query_;
  InterfaceLock interface_lock_;
  InterfaceWatch interface_watch_;
  ServiceManager service_manager_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  boost::asio::thread_pool blocking_calls_{1};

  std::optional<PrivilegedProcess> privileged_;  // used by one thread at a time
  Gate tally_gate_;                              // closed while the helper thread writes the tally
  SocketFile socket_file_;
  SnapshotPrinter printer_;
  ViewProcess* view_;
  Ticker ticker_;

  std::optional<Attachment> attachment_;  // set by run(), as is what needs it
  std::optional<Counting> counting_;
  std::optional<RequestHandler> handler_;
  std::optional<Server> server_;
  std::optional<EventStream> event_stream_;  // where there are events
  SnapshotHead head_;  // of the last tick: the tally's own may be written by the helper thread
  std::uint32_t program_id_ = 0;
  double last_tick_duration_ = 0;  // seconds
  std::string stop_reason_;
  bool detached_ = false;
  bool failed_ = false;  // which is why it stops
  bool said_goodbye_ = false;
};

}  // namespace xdp_count
