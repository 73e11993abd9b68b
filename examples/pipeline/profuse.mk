# profuse.mk: profile-guided builds for Makefiles. Set PROFILE (and OUT) before including it, compile with
# $(PROFUSE_FLAGS), and let objects depend on $(PROFUSE_STAMP).
#
# Without the file PROFILE the flags are those of a build that is to be profiled: by lines, or with PROBES=1 by
# pseudo-probes. A profile by probes brings the flag for them along, for clang drops it from a build without. The stamp changes when the profile
# does, appears or goes, whatever its date: a profile that was just downloaded is often older than the objects.
OUT ?= out
PROFUSE_FLAGS = -gmlt -fdebug-info-for-profiling
# Whether PROFILE is by probes is told by the file: a flag of the section of functions' metadata in extbinary (a table
# of 32 bytes a section, type and flags first), checksums in LLVM's text.
PROFUSE_OF_PROBES := $(if $(wildcard $(PROFILE)),$(shell \
	{ od -An -v -tx1 -j18 -N512 '$(PROFILE)' | tr -d ' \n' | fold -w64; echo; cat '$(PROFILE)'; } | \
	LC_ALL=C grep -qaE '^0500000000000000.{9}[13579bdf]|^ *!CFGChecksum: ' && echo 1))
ifneq ($(filter-out 0,$(PROBES))$(PROFUSE_OF_PROBES),)
PROFUSE_FLAGS += -fpseudo-probe-for-profiling
endif
ifneq ($(wildcard $(PROFILE)),)
PROFUSE_FLAGS += -fprofile-sample-use=$(PROFILE) -mllvm -enable-ext-tsp-block-placement \
	-mllvm $(if $(PROFUSE_OF_PROBES),-profile-summary-cutoff-hot=999000,-sample-profile-use-profi)
endif
PROFUSE_STAMP = $(OUT)/profile.stamp
PROFUSE_SAYS = { echo '$(PROFUSE_FLAGS)'; cksum $(wildcard $(PROFILE)) /dev/null; }

$(PROFUSE_STAMP): PROFUSE_ALWAYS
	@mkdir -p $(@D)
	@$(PROFUSE_SAYS) | cmp -s - $@ || $(PROFUSE_SAYS) >$@
PROFUSE_ALWAYS:
.PHONY: PROFUSE_ALWAYS
