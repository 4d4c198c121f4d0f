// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "address_databases.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stdexcept>

#include "mmdb_file.hpp"

using namespace xdp_count;
using namespace std::chrono_literals;

TEST_CASE("files say where an address is and whose, each what it knows") {
  const MmdbFile country(0xc0000200, 24, country_data("NL"));
  const MmdbFile system(0xc0000000, 16, asn_data(64496, "Example\n"));
  const AddressDatabases databases({country.path, system.path});
  CHECK(databases.look(0xc0000207) == AddressFacts{"NL", 64496, "Example\\x0a"});
  CHECK(databases.look(0xc0000307) == AddressFacts{"", 64496, "Example\\x0a"});
  CHECK(databases.look(0x0a000001) == AddressFacts{});
  CHECK(databases.look(Address(0x20010db800000000, 1)) == AddressFacts{});  // not in these files
  CHECK(AddressDatabases({}).look(0xc0000207) == AddressFacts{});
}

TEST_CASE("values of other types than they should have are not known") {
  MmdbText data;
  data.map(2).text("country").text("NL").text("autonomous_system_number").text("64496");
  const MmdbFile odd(0xc0000200, 24, data.bytes);
  CHECK(AddressDatabases({odd.path}).look(0xc0000207) == AddressFacts{});
}

TEST_CASE("a file that is no database is named") {
  CHECK_THROWS_WITH(AddressDatabases({"/nothing/here"}),
                    "opening the database /nothing/here: No such file or directory");
  CHECK_THROWS_WITH(AddressDatabases({"/bin/sh"}),
                    "opening the database /bin/sh: The MaxMind DB file contains invalid metadata");
}

TEST_CASE("a file that was written anew is read, and one that is damaged changes nothing") {
  const MmdbFile file(0xc0000200, 24, country_data("NL"));
  AddressDatabases databases({file.path});
  auto now = AddressDatabases::Clock::now();
  const auto country = [&] { return databases.look(0xc0000207).country; };
  file.write(0xc0000200, 24, country_data("DE") + "longer");
  databases.refresh(now);
  CHECK(country() == "NL");  // not looked at again so soon
  databases.refresh(now += AddressDatabases::kept + 1s);
  CHECK(country() == "DE");
  // Nobody reads from what is no longer there.
  REQUIRE(::truncate(file.path.c_str(), 5) == 0);
  CHECK(country() == "DE");
  databases.refresh(now += AddressDatabases::kept + 1s);
  CHECK(country() == "DE");
  REQUIRE(::unlink(file.path.c_str()) == 0);
  databases.refresh(now += AddressDatabases::kept + 1s);
  CHECK(country() == "DE");
  file.write(0xc0000200, 24, country_data("FR"));
  databases.refresh(now += AddressDatabases::kept + 1s);
  CHECK(country() == "FR");
}

TEST_CASE("what is no regular file is not waited for") {
  const MmdbFile file(0xc0000200, 24, country_data("NL"));
  const std::string fifo = file.path + ".fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  CHECK_THROWS_WITH(AddressDatabases({fifo}),
                    ("opening the database " + fifo + ": it is no regular file").c_str());
  ::unlink(fifo.c_str());
}
