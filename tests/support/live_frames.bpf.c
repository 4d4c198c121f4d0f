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
const volatile struct lf_headers
	ipv6_headers = {}; /* and the next ones: as sent, but for the source */
const volatile struct lf_headers ipv4_headers = {};

/* What to send. May be changed while the program runs, the rate last. */
__u64 flood_rate SEC(".data.live") = LF_UNLIMITED; /* frames a second */
__u64 flood_begin SEC(".data.live") = 0; /* CLOCK_MONOTONIC, in ns */
__u64 flood_sources SEC(".data.live") = 1; /* at most 2^32 */
__u64 flood_seed SEC(".data.live") = 0; /* 0: one after the other, else at random */
__u32 flood_of_ipv6 SEC(".data.live") = 0; /* 1: from all of LF_FLOOD_IPV6_FIRST/32, at random */
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

static __always_inline __u32 next_of_flood(void)
{
	__u64 number = flood_sent++;
	__u64 offset;
	__u32 source;

	if (heavy_every && number % heavy_every == 0)
		return LF_MARKED_FIRST + LF_HEAVY_INDEX;
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
	return source;
}

static __always_inline void copy_headers(void *to, const volatile struct lf_headers *from)
{
	__u64 *words = to;

#pragma unroll
	for (__u32 i = 0; i < sizeof(from->words) / sizeof(from->words[0]); i++)
		words[i] = from->words[i];
}

/* Each from another source: 96 bits are drawn. */
static __always_inline void make_ipv6(struct lf_headers *frame)
{
	struct ipv6hdr *ip = (void *)frame + sizeof(struct ethhdr);
	__u64 number = flood_sent++ + flood_seed;
	__u64 first = scatter(number);
	__u64 last = scatter(~number);

	copy_headers(frame, &ipv6_headers);
	ip->saddr.in6_u.u6_addr32[0] = bpf_htonl(LF_FLOOD_IPV6_FIRST);
	ip->saddr.in6_u.u6_addr32[1] = first;
	ip->saddr.in6_u.u6_addr32[2] = last;
	ip->saddr.in6_u.u6_addr32[3] = last >> 32;
}

/*
 * The checksum stays that of another source: the frames are for another host,
 * and nobody looks at it. A frame that is not due is no frame.
 */
SEC("xdp")
int send_frame(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	struct iphdr *ip = data + sizeof(struct ethhdr);
	struct lf_headers *headers = data;
	__u32 source;

	if ((void *)(headers + 1) > data_end)
		return XDP_ABORTED;
	if (runs++ % FRAMES_PER_LOOK_AT_CLOCK == 0) {
		__u64 now = bpf_ktime_get_ns();

		flood_due = due(flood_rate, flood_begin, now);
		steady_due = due(steady_rate, steady_begin, now);
	}
	/* First those whose time it is: the flood takes what is left. */
	if (steady_sent < steady_due) {
		source = LF_MARKED_FIRST + steady_sent++ % steady_sources;
	} else if (flood_sent < flood_due && flood_of_ipv6) {
		make_ipv6(headers);
		frames_sent++;
		return bpf_redirect(sender_ifindex, 0);
	} else if (flood_sent < flood_due) {
		source = next_of_flood();
	} else {
		return XDP_DROP;
	}
	frames_sent++;
	if (flood_of_ipv6)
		copy_headers(headers, &ipv4_headers);
	ip->saddr = bpf_htonl(source);
	return bpf_redirect(sender_ifindex, 0);
}

char _license[] SEC("license") = "Dual BSD/GPL";
