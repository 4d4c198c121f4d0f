#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Installs what xdp-count is built, tested and shown with, and nothing else: on Debian 12 and 13 and
# Ubuntu 24.04 (apt), Fedora (dnf) and Arch (pacman). When all is there it needs neither root nor
# a network. On any other system it says what is missing.
set -eu

usage() {
  cat <<END
usage: install-deps.sh [--build] [--coverage] [--vm] [--print]
  --build     only what building and running the programs takes, and the demonstration
  --coverage  what tools/coverage.sh takes, too (Debian, Ubuntu and Fedora)
  --vm        what the tests in virtual machines take, too (tests/vm/run.sh; Debian and Ubuntu)
  --print     print the names of this system's packages, and install nothing
END
}

just_print=false
tests=true
coverage=false
vm=false
for argument in "$@"; do
  case $argument in
    --print) just_print=true ;;
    --build) tests=false ;;
    --coverage) coverage=true ;;
    --vm) vm=true ;;
    --help | -h) usage && exit ;;
    *) usage >&2 && exit 2 ;;
  esac
done

if [ -r /etc/os-release ]; then
  # shellcheck source=/dev/null
  . /etc/os-release
fi
apt_boost=libboost-dev
apt_bpftool=bpftool
apt_chromium=chromium
apt_chromedriver=chromium-driver
case ${UBUNTU_CODENAME:-${VERSION_CODENAME-}} in
  # libboost-dev is 1.74 here. Where that is installed, apt replaces it: the two conflict.
  bookworm) apt_boost=libboost1.81-dev ;;
  # No package of its own yet: it comes with the kernel's tools.
  # Chromium is no package here, but a snap.
  noble) apt_bpftool=linux-tools-generic apt_chromium=- apt_chromedriver=- ;;
esac

# What is looked for is the thing itself rather than its package, so that one built by hand counts
# and an unknown system gets an answer too. The second word says where to look (see is_there), the
# third which version is the least. "-" in place of a package: there is none, and it is done without.
needs() {
  cat <<END
g++            command  -       g++                  gcc-c++         gcc
clang          command  -       clang                clang           clang
bpftool        bpftool  -       $apt_bpftool         bpftool         bpf
meson          command  -       meson                meson           meson
ninja          command  -       ninja-build          ninja-build     ninja
pkg-config     command  -       pkg-config           pkgconf-pkg-config pkgconf
ip             command  -       iproute2             iproute         iproute2
nc             nc       -       netcat-openbsd       nmap-ncat       openbsd-netcat
linux/bpf.h    header   -       linux-libc-dev       kernel-headers  linux-api-headers
libbpf         library  1.1     libbpf-dev           libbpf-devel    libbpf
libxdp         library  1.3     libxdp-dev           libxdp-devel    libxdp
libmnl         library  -       libmnl-dev           libmnl-devel    libmnl
ncursesw       library  -       libncurses-dev       ncurses-devel   ncurses
fmt            library  -       libfmt-dev           fmt-devel       fmt
CLI11          library  -       libcli11-dev         cli11-devel     cli11
nlohmann_json  library  3.11    nlohmann-json3-dev   json-devel      nlohmann-json
boost          boost    108100  $apt_boost           boost-devel     boost
/usr/share/javascript/chart.js/chart.min.js file - libjs-chart.js - -
tomlplusplus   library  3.3     libtomlplusplus-dev  tomlplusplus-devel tomlplusplus
libcares       library  -       libc-ares-dev        c-ares-devel    c-ares
libmaxminddb   library  -       libmaxminddb-dev     libmaxminddb-devel libmaxminddb
sqlite3        library  -       libsqlite3-dev       sqlite-devel    sqlite
SQLiteCpp/SQLiteCpp.h header -  libsqlitecpp-dev     sqlitecpp-devel -
zlib           library  -       zlib1g-dev           zlib-ng-compat-devel zlib
libcurl        library  7.87    libcurl4-openssl-dev libcurl-devel   curl
END
  if $tests; then needs_of_tests; fi
  if $coverage; then echo "gcovr command - gcovr gcovr gcovr"; fi
  if $vm; then needs_of_vm; fi
}

needs_of_tests() {
  cat <<END
systemd-analyze command -      systemd              systemd         systemd
tmux           command  -       tmux                 tmux            tmux
tshark         command  -       tshark               wireshark-cli   wireshark-cli
man            command  -       man-db               man-db          man-db
tcpreplay      command  -       tcpreplay            tcpreplay       tcpreplay
doctest/doctest.h header -      doctest-dev          doctest-devel   doctest
libFuzzer      fuzzer   -       libclang-rt-dev      compiler-rt     compiler-rt
jq             command  -       jq                   jq              jq
socat          command  -       socat                socat           socat
jsonschema     python   -       python3-jsonschema   python3-jsonschema python-jsonschema
prometheus_client python -      python3-prometheus-client python3-prometheus_client python-prometheus_client
chromium       command  -       $apt_chromium        chromium        chromium
chromedriver   command  -       $apt_chromedriver    chromedriver    chromium
git            command  -       git                  git             git
clang-format   command  -       clang-format         clang-tools-extra clang
clang-tidy     command  -       clang-tidy           clang-tools-extra clang
shellcheck     command  -       shellcheck           ShellCheck      shellcheck
END
}

# Kernels come from Debian's archive.
needs_of_vm() {
  cat <<END
qemu-system-x86_64 command -    qemu-system-x86      qemu-system-x86-core qemu-system-x86
busybox        command  -       busybox-static       busybox         busybox
cpio           command  -       cpio                 cpio            cpio
/sbin/depmod   file     -       kmod                 kmod            kmod
/usr/share/keyrings/debian-archive-keyring.gpg file - debian-archive-keyring debian-keyring debian-archive-keyring
END
}

# Whether the lines given get through the preprocessor: quicker than a compilation, and enough.
preprocesses() {
  printf '%s\n' "$@" | g++ -E -x c++ - >/dev/null 2>&1
}

# is_there NAME KIND VERSION
is_there() {
  case $2 in
    command) command -v "$1" >/dev/null ;;
    library)
      if [ "$3" = - ]; then set -- "$1" "$2" 0; fi
      pkg-config --atleast-version="$3" "$1" 2>/dev/null
      ;;
    file) [ -e "$1" ] ;;
    header) preprocesses "#include <$1>" ;;
    boost)
      preprocesses "#include <boost/asio/version.hpp>" "#include <boost/version.hpp>" \
        "#if BOOST_VERSION < $3" "#error too old" "#endif"
      ;;
    # Ubuntu's /usr/sbin/bpftool only works where the running kernel's tools are installed.
    bpftool)
      for candidate in bpftool /usr/sbin/bpftool /usr/lib/linux-tools/*/bpftool; do
        if "$candidate" version >/dev/null 2>&1; then return 0; fi
      done
      return 1
      ;;
    # libFuzzer needs the sanitizers' libraries beside it.
    fuzzer)
      echo 'extern "C" int LLVMFuzzerTestOneInput(const char*, unsigned long) { return 0; }' |
        clang++ -fsanitize=fuzzer,address,undefined -x c++ - -o /dev/null 2>/dev/null
      ;;
    # The distribution's interpreter: packages of the distribution are for no other.
    python) /usr/bin/python3 -c "import $1" 2>/dev/null ;;
    # There are several, and not all of them speak to Unix sockets.
    nc) nc -h 2>&1 | grep -q -e '-[a-zA-Z]*U' ;;
  esac
}

# Without those that this system has no package for.
packaged_needs() {
  needs | awk -v column="$column" '$(column == 1 ? 5 : column + 2) != "-"'
}

# Each need that is not met, as its name and its packages with apt, dnf and pacman.
missing() {
  packaged_needs | while read -r name kind version packages; do
    if ! is_there "$name" "$kind" "$version"; then echo "$name $packages"; fi
  done
}

if command -v apt-get >/dev/null; then
  manager=apt
  column=2
elif command -v dnf >/dev/null; then
  manager=dnf
  column=3
elif command -v pacman >/dev/null; then
  manager=pacman
  column=4
else
  manager=none
  column=1
fi

install() {
  case $manager in
    apt)
      # The lists at hand may do when new ones cannot be had.
      apt-get update || echo "going on with the package lists as they are"
      DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
        -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 "$@"
      ;;
    dnf) dnf --assumeyes --setopt=install_weak_deps=False install "$@" ;;
    pacman)
      # There is no -y, because Arch does not support upgrading only a part of a system.
      pacman -S --needed --noconfirm "$@" || {
        echo "if packages were not found: pacman -Syu, then this again"
        return 1
      }
      ;;
  esac
}

if $just_print; then
  if [ $manager = none ]; then echo "no apt, dnf or pacman here; what is needed, by name:" >&2; fi
  packaged_needs | awk -v column=$column '{ print column == 1 ? $1 : $(column + 2) }'
  exit
fi

lacking=$(missing)
if [ -z "$lacking" ]; then
  echo "all dependencies are installed"
  exit
fi

names=$(echo "$lacking" | awk '{ printf " %s", $1 }')
if [ $manager = none ]; then
  echo "missing:$names" >&2
  echo "(libraries are looked for with pkg-config and g++, so install those two first;" >&2
  echo "boost has to be 1.81 or newer, libbpf 1.1, libxdp 1.3, nlohmann_json 3.11)" >&2
  exit 1
fi
if [ "$(id -u)" != 0 ]; then
  echo "missing:$names" >&2
  echo "to install it: sudo $0" >&2
  exit 1
fi

# One at a time, for package managers that do not wait for each other; the other one may have
# installed everything meanwhile.
exec 9>/run/xdp-count-install-deps.lock
flock 9
lacking=$(missing)
if [ -n "$lacking" ]; then
  packages=$(echo "$lacking" | awk -v column=$column '{ print $column }')
  # shellcheck disable=SC2086 # one word for each package
  {
    echo installing $packages
    # Its hundreds of lines are of interest only when something went wrong.
    report=$(install $packages 2>&1 9>&-) || {
      echo "$report" >&2
      exit 1
    }
    # These may be, for example, an older Boost.
    echo "$report" | grep '^Removing ' || :
  }
fi

lacking=$(missing)
if [ -n "$lacking" ]; then
  echo "still missing after the installation:$(echo "$lacking" | awk '{ printf " %s", $1 }')" >&2
  exit 1
fi
echo "all dependencies are installed"
