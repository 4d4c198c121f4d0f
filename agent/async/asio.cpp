// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The part of Boost.Asio that is not a template. BOOST_ASIO_SEPARATE_COMPILATION, which meson.build
// defines, leaves it out of every other source.
#include <boost/asio/impl/src.hpp>
