// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Sends on one end of a veth pair: for BPF_F_TEST_XDP_LIVE_FRAMES, on one CPU
 * at a time.
 */
#include <stdbool.h>

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "live_frames.h"

#define NSEC_PER_SEC 1000000000ULL
#define FRAMES_PER_LOOK_AT_CLOCK 16

/* Set before load. */
const volatile __u32 sender_ifindex = 0;
const volatile __u32 of_ipv6 = 0; /* 1: all are, else those that a flood has of it */
const volatile __u32 of_destinations = 0; /* 1: these change, else sources do */
const volatile struct lf_headers
	ipv6_headers = {}; /* and the next ones: as sent, but for that address */
const volatile struct lf_headers ipv4_headers = {};

/* What to send. May be changed while the program runs, the rate last. */
__u64 flood_rate SEC(".data.live") = LF_UNLIMITED; /* frames a second */
__u64 flood_begin SEC(".data.live") = 0; /* CLOCK_MONOTONIC, in ns */
__u64 flood_sources SEC(".data.live") = 1; /* at most 2^32 */
__u64 flood_seed SEC(".data.live") = 0; /* 0: one after the other, else at random */
__u32 flood_of_ipv6 SEC(".data.live") = 0; /* 1: from all of LF_FLOOD_IPV6_FIRST::/32, at random */
__u32 heavy_every SEC(".data.live") = 0; /* of so many of its frames one is the heavy hitter's */
__u64 steady_rate SEC(".data.live") = 0;
__u64 steady_begin SEC(".data.live") = 0;
__u32 steady_sources SEC(".data.live") = 1; /* one after the other */

__u64 flood_sent SEC(".data.live") = 0;
__u64 steady_sent SEC(".data.live") = 0;
__u64 frames_sent SEC(".data.live") = 0;

static __u64 flood_due;
static __u64 steady_due;
static __u64 next_in_order;
static __u32 runs;

static __always_inline __u64 due(__u64 rate, __u64 begin, __u64 now)
{
	if (rate == LF_UNLIMITED)
		return rate;
	return now > begin ? (now - begin) * rate / NSEC_PER_SEC : 0;
}

/* The finalizer of splitmix64: as random as a flood needs, without a state. */
static __always_inline __u64 scatter(__u64 value)
{
	value *= 0x9e3779b97f4a7c15ULL;
	value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9ULL;
	value = (value ^ value >> 27) * 0x94d049bb133111ebULL;
	return value ^ value >> 31;
}

/* An IPv4 address is the last word alone. In host byte order. */
struct address {
	__u32 is_ipv6;
	__u32 words[4];
};

static __always_inline struct address marked(__u32 index)
{
	struct address address = { of_ipv6, { LF_MARKED_IPV6_FIRST, 0, 0, index } };

	if (!of_ipv6)
		address.words[3] = LF_MARKED_FIRST + index;
	return address;
}

static __always_inline struct address next_of_flood(void)
{
	struct address address = { of_ipv6, { LF_FLOOD_IPV6_FIRST, 0, 0, 0 } };
	__u64 number = flood_sent++;
	__u64 offset;
	__u32 source;

	if (heavy_every && number % heavy_every == 0)
		return marked(LF_HEAVY_INDEX);
	if (flood_of_ipv6) { /* each another: 96 bits are drawn */
		__u64 first = scatter(number + flood_seed);
		__u64 last = scatter(~(number + flood_seed));

		address.is_ipv6 = 1;
		address.words[1] = first;
		address.words[2] = last;
		address.words[3] = last >> 32;
		return address;
	}
	if (flood_seed) {
		offset = (scatter(number + flood_seed) >> 32) * flood_sources >> 32;
	} else {
		offset = next_in_order;
		next_in_order = offset + 1 < flood_sources ? offset + 1 : 0;
	}
	source = LF_FLOOD_FIRST + (__u32)offset;
	/*
   * This moves it away from the marked ones, to an address that is no more special than
   * others.
   */
	if ((source & LF_MARKED_MASK) == LF_MARKED_FIRST)
		source ^= 0x80000000U;
	address.words[3] = source;
	return address;
}

static __always_inline void copy_headers(void *to, const volatile struct lf_headers *from)
{
	__u64 *words = to;

#pragma unroll
	for (__u32 i = 0; i < sizeof(from->words) / sizeof(from->words[0]); i++)
		words[i] = from->words[i];
}

static __always_inline void set_ipv6(struct lf_headers *frame, const struct address *to)
{
	struct ipv6hdr *ip = (void *)frame + sizeof(struct ethhdr);
	struct in6_addr *address = of_destinations ? &ip->daddr : &ip->saddr;

	if (!of_ipv6)
		copy_headers(frame, &ipv6_headers);
#pragma unroll
	for (__u32 i = 0; i < 4; i++)
		address->in6_u.u6_addr32[i] = bpf_htonl(to->words[i]);
}

/* The checksum stays that of another address: the frames are for another host, and nobody looks at it. */
static __always_inline void set_ipv4(struct lf_headers *frame, const struct address *to)
{
	struct iphdr *ip = (void *)frame + sizeof(struct ethhdr);

	if (flood_of_ipv6)
		copy_headers(frame, &ipv4_headers);
	*(of_destinations ? &ip->daddr : &ip->saddr) = bpf_htonl(to->words[3]);
}

/* A frame that is not due is no frame. */
SEC("xdp")
int send_frame(struct xdp_md *ctx)
{
	struct lf_headers *headers = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	struct address address;

	if ((void *)(headers + 1) > data_end)
		return XDP_ABORTED;
	if (runs++ % FRAMES_PER_LOOK_AT_CLOCK == 0) {
		__u64 now = bpf_ktime_get_ns();

		flood_due = due(flood_rate, flood_begin, now);
		steady_due = due(steady_rate, steady_begin, now);
	}
	/* First those whose time it is: the flood takes what is left. */
	if (steady_sent < steady_due)
		address = marked(steady_sent++ % steady_sources);
	else if (flood_sent < flood_due)
		address = next_of_flood();
	else
		return XDP_DROP;
	frames_sent++;
	if (address.is_ipv6)
		set_ipv6(headers, &address);
	else
		set_ipv4(headers, &address);
	return bpf_redirect(sender_ifindex, 0);
}

char _license[] SEC("license") = "Dual BSD/GPL";
