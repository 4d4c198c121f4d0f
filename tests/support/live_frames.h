/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The addresses from which LiveFrames sends and that Arrivals looks for. In
 * host byte order.
 */
#ifndef XDP_COUNT_LIVE_FRAMES_H
#define XDP_COUNT_LIVE_FRAMES_H

/* A flood's addresses begin here; an IPv6 address has the number behind LF_FLOOD_IPV6_FIRST::. */
#define LF_FLOOD_FIRST 0x0a000000U /* 10.0.0.0 */

/*
 * Addresses that no flood draws, so that what each of them sends is known:
 * 198.18.0.0/22, of the network that RFC 2544 sets aside for benchmarks.
 */
#define LF_MARKED_FIRST 0xc6120000U
#define LF_MARKED_SOURCES 1024
#define LF_MARKED_MASK (~(LF_MARKED_SOURCES - 1U))

/*
 * The first 32 bits of the marked IPv6 addresses, all but the last ten of the others are 0:
 * 2001:2::/118, of the network that RFC 5180 sets aside for benchmarks.
 */
#define LF_MARKED_IPV6_FIRST 0x20010002U

/* The heavy hitter is the last one of them; the steady sources are the first ones. */
#define LF_HEAVY_INDEX (LF_MARKED_SOURCES - 1)

/* The first 32 bits of a flood's IPv6 addresses: 2001:db8::/32. */
#define LF_FLOOD_IPV6_FIRST 0x20010db8U

/* What a frame begins with, in whole words: Ethernet, IPv6 and two bytes more at most. */
struct lf_headers {
	unsigned long long words[7];
};

/* A rate that is no limit. */
#define LF_UNLIMITED (~0ULL)

#endif /* XDP_COUNT_LIVE_FRAMES_H */
