/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Everything that the XDP program and the agent both know. Compiles as C for
 * BPF and as C++ for the agent, so that each struct is written down once.
 *
 * Counters are in host byte order, addresses in network byte order. Every
 * struct has a size that is a multiple of 8 and no implicit padding, because
 * the kernel copies map values as bytes.
 */
#ifndef XDP_COUNT_SHARED_TYPES_H
#define XDP_COUNT_SHARED_TYPES_H

#include <linux/types.h>

/* The program counts in one of two generations while the agent empties the other. */
#define XC_GENERATIONS 2

/* Tags that are unwrapped before an IP header; a frame with more is XC_CLASS_OTHER. */
#define XC_MAX_VLAN_TAGS 4

/* Every frame that the program sees is in exactly one class. */
enum xc_class {
	XC_CLASS_IPV4,
	XC_CLASS_IPV6,
	XC_CLASS_ARP,
	XC_CLASS_OTHER,
	/* Says that it is IP, and is what ip_rcv_core() or ip6_rcv_core() would refuse. */
	XC_CLASS_MALFORMED,
	XC_CLASSES,
};

enum xc_family {
	XC_FAMILY_IPV4,
	XC_FAMILY_IPV6,
	XC_FAMILIES,
};

/*
 * An address as it is in the packet, read as words of the host: 16 bytes of
 * IPv6, or 4 of IPv4 in the lower half of "last". In a pair of IPv4 addresses
 * that is the source, and the lower half of "first" is the destination.
 */
struct xc_address {
	__u64 first;
	__u64 last;
};

/* What a packet is counted under. */
struct xc_key {
	struct xc_address address;
	struct xc_address peer; /* the destination in a pair of IPv6 addresses, 0 in all else */
};

/* The peer is there where sources are pairs; elsewhere a source ends before it. */
struct xc_source {
	struct xc_address address;
	__u64 family; /* enum xc_family */
	struct xc_address peer;
};

/* Which address of a packet it is counted under, or both: in all names here that is its source. */
enum xc_by {
	XC_BY_SOURCE,
	XC_BY_DESTINATION,
	XC_BY_PAIR,
};

struct xc_counts {
	__u64 packets;
	__u64 bytes; /* of whole frames, from the first byte that the XDP hook sees */
};

/*
 * A table of sources: buckets of a cache line each. A source that was counted
 * has a slot; one that was counted on several CPUs at once may have several,
 * and a reader of the table adds them up. Narrow slots hold IPv4 addresses, wide
 * ones anything but pairs of IPv6, and pair slots anything; each begins as the
 * narrower ones do.
 */
#define XC_BUCKET_BYTES 64
#define XC_BUCKET_SLOTS 4
#define XC_BUCKET_WIDE_SLOTS 2
#define XC_BUCKET_PAIR_SLOTS 1

/* 32 bits of packets let four sources fit in a cache line: a slot that is full counts no more. */
#define XC_SLOT_MAX_PACKETS 0xffffffffU

struct xc_slot {
	__be32 source;
	__u32 packets; /* 0: the slot is empty */
	__u64 bytes;
};

/*
 * Tells most sources apart at a glance: bits of the source's hash, of which the
 * lowest is its enum xc_family and the next one is set. 0: the slot has been
 * taken, and its address is not there yet.
 */
typedef __u32 xc_tag;

struct xc_wide_slot {
	xc_tag tag;
	__u32 packets; /* as in xc_slot */
	__u64 bytes;
	struct xc_address address;
};

struct xc_pair_slot {
	xc_tag tag;
	__u32 packets; /* as in xc_slot */
	__u64 bytes;
	struct xc_key key;
	__u64 padding[2];
};

struct xc_bucket {
	union {
		struct xc_slot slots[XC_BUCKET_SLOTS];
		struct xc_wide_slot wide_slots[XC_BUCKET_WIDE_SLOTS];
		struct xc_pair_slot pair_slots[XC_BUCKET_PAIR_SLOTS];
	};
};

/*
 * The totals of one generation on one CPU. They only grow: the agent never
 * clears them. "frames" is counted on its own, not summed up from the classes:
 * that the two agree is what the agent checks.
 */
struct xc_totals {
	struct xc_counts frames;
	struct xc_counts classes[XC_CLASSES];
	/* By enum xc_family: packets whose source was given no place in a table. */
	struct xc_counts untracked[XC_FAMILIES];
};

/* What the program may report besides counting, in the ring buffer and as soon as it happens. */
enum xc_event_kind {
	XC_EVENT_NEW_SOURCE, /* reported by a struct xc_new_source */
	XC_EVENT_SAMPLE, /* reported by a struct xc_sample */
	XC_EVENT_KINDS,
};

/* Like the totals, they only grow. What was delivered is the difference. */
struct xc_event_counts {
	__u64 produced; /* delivered or lost */
	__u64 lost; /* found no place in the ring buffer, or the source none in known_sources */
};

/*
 * In every run of xc_config.sample_every frames one is sampled, which is drawn
 * when the run begins.
 */
struct xc_sampling {
	__u32 position; /* of the next frame in its run */
	__u32 drawn; /* the position that is sampled */
};

struct xc_event {
	__u64 time; /* CLOCK_MONOTONIC, in ns */
	__u32 kind; /* enum xc_event_kind */
	__u32 head_bytes; /* of XC_EVENT_SAMPLE: how many of xc_sample.head there are */
};

struct xc_new_source {
	struct xc_event event;
	struct xc_source source;
};

#define XC_SAMPLE_BYTES 128

struct xc_sample {
	struct xc_event event;
	__u64 frame_bytes; /* as in xc_counts */
	__u8 head[XC_SAMPLE_BYTES]; /* the frame's first bytes; what is behind them means nothing */
};

/*
 * The hot tier. A value of the map cpu_counts is this, on cache lines of its
 * own, and behind it a hot table for each family that is counted, IPv4 first:
 * all their buckets, of the narrowest slots that hold what is counted there, and
 * behind them as many bits again: a __u64 for every 64 buckets, or part of 64, in whole
 * cache lines for each table, in which the bit of each bucket that is in use is
 * set, the first one's lowest. So the agent looks at what is in use alone. Only
 * one CPU writes it. A source is counted in the first free slot of its bucket
 * or, when that is full, of the neighbour with which it makes a pair of cache
 * lines.
 */
struct xc_cpu_counts {
	struct xc_totals totals;
	struct xc_event_counts events[XC_EVENT_KINDS];
	struct xc_sampling sampling;
	__u64 padding[3];
};

/*
 * The spill tier, for sources that find both their hot buckets full: a value of
 * the map spill, one for each generation, which all CPUs write. Behind this
 * come the bits of the buckets in use, as in the hot tier, and behind them the
 * buckets, of wide slots for both families or, where pairs of IPv6 are counted,
 * of pair slots. A source is counted in the first
 * free slot from its bucket on.
 *
 * The head says how many have found a place in this generation, in either tier,
 * of those that are rationed. The agent clears it with the tables.
 */
struct xc_spill {
	__u64 newcomers; /* places taken without a question, until newcomer_budget was used up */
	__u64 contests_won; /* places taken by sources neither in time nor tracked */
	__u64 padding[6];
};

/* A source looks so many buckets far for a place in the spill tier. */
#define XC_SPILL_PROBES 64

/*
 * Names the process that counts with a program, so that no other one adopts it,
 * takes it off or counts with it too. The map .bss begins with this in every
 * build, for ever: its name ends so, and the agent can map it as memory.
 */
struct xc_owner {
	/*
	 * The pid in the low half; in the high half when the process began, in ticks of USER_HZ
	 * since boot (field 22 of /proc/PID/stat): a pid that is used again is another process.
	 * 0: nobody. It is one word, so that of two processes that take it at once one does.
	 */
	__u64 process;
	__u64 pid_namespace; /* that the pid is of: the inode of /proc/PID/ns/pid */
};

/* What the agent sets for the program while it runs. */
struct xc_control {
	struct xc_owner owner; /* not for the program */
	__u32 active_generation; /* that program runs write to: 0 or 1 */
	__u32 newcomer_budget; /* of xc_spill.newcomers, in each generation */
	/*
	 * 1 or 0: each packet asks the filter of its generation first. It costs a look into a
	 * small table, and saves those into the large ones for most packets of a flood.
	 */
	__u32 guarded;
	__u32 padding;
};

/*
 * The map filter, one value for each generation: a Bloom filter of 8 bits for
 * each source, of those that have a place in the generation and, where the
 * program is guarded, of all that are tracked. Both bits of a source are in one
 * word.
 */
/*
 * The map tracked: the sources in the agent's ledger, by their tags. The agent
 * writes it. Each is in any cell of its group or, where that has been full, of
 * one of the next groups; "passed" says how many have passed a group by, so
 * that nearly always one look is enough. A cell of 0 is empty. Of 40 million
 * sources that are not tracked one at most is taken for another that is, and so
 * given a place, which harms nobody.
 */
#define XC_TRACKED_CELLS 7
#define XC_TRACKED_PROBES 4 /* groups that a source may be in */

struct xc_tracked_group {
	__u32 passed;
	xc_tag sources[XC_TRACKED_CELLS];
};

/* "xdpcount" in ASCII */
#define XC_CONFIG_MAGIC 0x746e756f63706478ULL

/*
 * An agent recognizes a program of ours by this, from any build: the program is
 * called xdp_count, and its map .rodata begins with this, for ever.
 */
struct xc_build {
	__u64 magic; /* XC_CONFIG_MAGIC */
	__u64 hash; /* of the program and of the layout of all maps: another one is a stranger */
	__u64 config_bytes; /* of the struct xc_config that begins with this */
};

/* What a program was loaded with. Also for an agent that finds the program running. */
struct xc_config {
	struct xc_build build;
	__u64 hash_multiplier; /* places sources in the tables: random, and odd */
	struct xc_key hash_key; /* the same, for what is in no narrow slot: random */
	__u64 ledger_seed[2]; /* places sources in the ledger: random, the second one odd */
	__u32 cpus; /* possible ones */
	__u32 hot_shift; /* 64 - log2 of the buckets of one hot table, which are at least 2 */
	/* Of each CPU's table in each generation, if they are narrow: else a half or a quarter as many. */
	__u32 hot_slots;
	__u32 max_sources; /* in the ledger at most */
	/*
	 * 64 - log2 of what max_sources is rounded up to: a quarter of the number of slots of a
	 * spill table, twice that of groups in tracked, four times that of candidates, and eight
	 * times that of words of the filter.
	 */
	__u32 sources_shift;
	__u32 has_ethernet_header; /* 1 or 0: frames begin with it, or with the IP header */
	__u32 verdict; /* XDP_PASS or XDP_DROP */
	__u32 new_sources; /* 1 or 0: each source that was not known is an event */
	__u32 sample_every; /* of so many frames one is an event; 0: none is */
	__u32 families; /* whose sources are counted: the bits 1 << enum xc_family */
	__u32 by; /* enum xc_by */
	__u32 padding;
	/* By enum xc_family: the bits of an address that are kept, all others are 0. */
	struct xc_address masks[XC_FAMILIES];
};

#ifdef __cplusplus
#define XC_STATIC_ASSERT static_assert
#else
#define XC_STATIC_ASSERT _Static_assert
#endif

XC_STATIC_ASSERT(sizeof(struct xc_counts) == 16, "the agent reads xc_counts as bytes");
XC_STATIC_ASSERT(sizeof(struct xc_totals) == 16 * (1 + XC_CLASSES + XC_FAMILIES),
		 "no padding in xc_totals");
XC_STATIC_ASSERT(sizeof(struct xc_config) == 20 * 8, "no padding in xc_config");
XC_STATIC_ASSERT(sizeof(struct xc_owner) == 16, "every build has the same");
XC_STATIC_ASSERT(sizeof(struct xc_build) == 24, "every build has the same");
XC_STATIC_ASSERT(sizeof(struct xc_bucket) == XC_BUCKET_BYTES, "one cache line");
XC_STATIC_ASSERT(sizeof(struct xc_pair_slot) == XC_BUCKET_BYTES, "as many as are said");
XC_STATIC_ASSERT(sizeof(struct xc_spill) == 64, "the bits begin on a cache line");
XC_STATIC_ASSERT(sizeof(struct xc_tracked_group) == 32, "half a cache line");
XC_STATIC_ASSERT(sizeof(struct xc_event) == 16, "no padding in xc_event");
XC_STATIC_ASSERT(sizeof(struct xc_sample) == 24 + XC_SAMPLE_BYTES, "no padding in xc_sample");
XC_STATIC_ASSERT(sizeof(struct xc_cpu_counts) == 192, "buckets begin on a cache line");

#endif /* XDP_COUNT_SHARED_TYPES_H */
