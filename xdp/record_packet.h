/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The counting, behind three functions: open the active generation, count a
 * frame on entry, record it in its class on exit. Nothing outside of this
 * file knows in which tables a source is counted.
 */
#ifndef XDP_COUNT_RECORD_PACKET_H
#define XDP_COUNT_RECORD_PACKET_H

#include <asm-generic/errno-base.h>
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include <xdp_count/shared_types.h>

#include "count_maps.h"

struct generation {
	struct xc_totals *totals; /* of this CPU: no other run writes there meanwhile */
	void *spill;
};

static __always_inline void add_frame(struct xc_counts *counts, __u64 bytes)
{
	counts->packets++;
	counts->bytes += bytes;
}

/*
 * The word is read once and decides for the whole run: that is what makes a
 * generation quiet as soon as the runs that began before a swap have ended.
 */
static __always_inline struct generation open_active_generation(void)
{
	__u32 index = active_generation & 1;
	struct generation generation;

	generation.totals = bpf_map_lookup_elem(&totals, &index);
	generation.spill = index ? (void *)&spill_1 : (void *)&spill_0;
	return generation;
}

/* 0, or negative when the source has no place: the table is full or the kernel was busy. */
static __always_inline int count_in_spill(void *spill, __be32 source, __u64 bytes)
{
	struct xc_counts *counts = bpf_map_lookup_elem(spill, &source);

	if (!counts) {
		struct xc_counts first = { .packets = 1, .bytes = bytes };
		int err = bpf_map_update_elem(spill, &source, &first, BPF_NOEXIST);

		if (err != -EEXIST)
			return err;
		/* Another CPU met the same new source between the look-up and the update. */
		counts = bpf_map_lookup_elem(spill, &source);
		if (!counts)
			return -ENOENT;
	}
	add_frame(counts, bytes);
	return 0;
}

static __always_inline void record_frame(const struct generation *generation,
					 const struct parsed_frame *frame, __u64 bytes)
{
	/* Unsigned and bounded, so that the verifier knows the access stays within "classes". */
	__u32 class = frame->class;

	if (class < XC_CLASSES)
		add_frame(&generation->totals->classes[class], bytes);
	if (class == XC_CLASS_IPV4 && count_in_spill(generation->spill, frame->source, bytes))
		add_frame(&generation->totals->untracked, bytes);
}

#endif /* XDP_COUNT_RECORD_PACKET_H */
