/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Decides which sources are given a place in the tables of a generation, when a
 * flood brings more of them than there is room for. This is asked once for each
 * source, generation and CPU, and only the first question costs anything before
 * the budget is used up.
 *
 * A source is named by its hash for the tables that all CPUs share.
 */
#ifndef XDP_COUNT_ADMISSION_H
#define XDP_COUNT_ADMISSION_H

#include <stdbool.h>

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include <xdp_count/shared_types.h>
#include <xdp_count/source_hash.h>

#include "config.h"
#include "count_maps.h"

/* Each time that a sixteenth of max_sources has won, winning becomes half as likely. */
#define CONTEST_LEVEL_SHIFT 4
#define MAX_CONTEST_LEVEL 31

static __always_inline bool is_tracked(__u64 hash)
{
	/* Half as many groups as sources. */
	__u64 last = (1ULL << (63 - config.sources_shift)) - 1;
	__u64 first = hash >> (config.sources_shift + 1);
	__u32 key = 0;
	const struct xc_tracked_group *groups = bpf_map_lookup_elem(&tracked, &key);

	if (!groups)
		return false;
	for (__u64 i = 0; i < XC_TRACKED_PROBES; i++) {
		const struct xc_tracked_group *group = &groups[(first + i) & last];

#pragma unroll
		for (int j = 0; j < XC_TRACKED_CELLS; j++)
			if (group->sources[j] == xc_tag_of(hash))
				return true;
		if (group->passed == 0)
			break;
	}
	return false;
}

/*
 * A source that keeps sending gets in all the same: one of its packets makes it
 * the candidate of its cell, and it wins with the next one, if no other has
 * become the candidate meanwhile. That is nearly certain for a source with a
 * share of the packets that is worth speaking of, and nearly impossible for one
 * of millions. A sender of pairs that wins often makes winning harder: with
 * each level a packet makes its source the candidate half as often, so that
 * even in 2^32 packets of an interval about twice max_sources win at most.
 *
 * The cell of a source that is the candidate, and so wins with this packet; or
 * else NULL.
 */
static __always_inline xc_tag *contend(const struct xc_spill *head, __u64 hash)
{
	__u32 key = 0;
	xc_tag *cells = bpf_map_lookup_elem(&candidates, &key);
	__u64 level = head->contests_won >> (64 - config.sources_shift - CONTEST_LEVEL_SHIFT);
	xc_tag *cell;

	if (!cells)
		return NULL;
	/* A quarter as many cells as sources. */
	cell = &cells[hash >> (config.sources_shift + 2)];
	if (*cell == xc_tag_of(hash))
		return cell;
	if (level > MAX_CONTEST_LEVEL)
		level = MAX_CONTEST_LEVEL;
	if (level == 0 || (bpf_get_prandom_u32() & ((1U << level) - 1)) == 0)
		*cell = xc_tag_of(hash);
	return NULL;
}

static __always_inline __u64 *filter_word(__u32 generation, __u64 hash)
{
	__u32 key = generation & 1;
	__u64 *words = bpf_map_lookup_elem(&filter, &key);

	/* An eighth as many words as sources. */
	return words ? &words[hash >> (config.sources_shift + 3)] : NULL;
}

static __always_inline bool admit(__u32 generation, struct xc_spill *head, __u64 hash)
{
	/* The word is read first, since a write would take the line away from the other CPUs. */
	bool in_time = head->newcomers < control.newcomer_budget &&
		       __sync_fetch_and_add(&head->newcomers, 1) < control.newcomer_budget;
	__u64 *word;

	if (!in_time && !is_tracked(hash)) {
		xc_tag *cell = contend(head, hash);

		if (!cell)
			return false;
		*cell = 0;
		__sync_fetch_and_add(&head->contests_won, 1);
	}
	word = filter_word(generation, hash);
	if (word)
		__sync_fetch_and_or(word, xc_filter_bits(hash));
	return true;
}

/*
 * Whether a packet is of a source that has no place in the generation and would
 * be refused one, as far as the filter knows. If it does not, the tables are
 * looked into, where all is exact.
 */
__noinline int is_refused(__u32 generation, __u64 hash)
{
	__u64 bits = xc_filter_bits(hash);
	__u64 *word = filter_word(generation, hash);
	__u32 key = generation & 1;
	struct xc_spill *head = bpf_map_lookup_elem(&spill, &key);

	return head && word && head->newcomers >= control.newcomer_budget &&
	       (*word & bits) != bits && !contend(head, hash);
}

#endif /* XDP_COUNT_ADMISSION_H */
