# profuse.mk: profile-guided builds for Makefiles. Set PROFILE (and OUT) before including it, compile with
# $(PROFUSE_FLAGS), and let objects depend on $(PROFUSE_STAMP). Where the build is one with -flto, link with $(PROFUSE_LTO_FLAGS):
# the linker compiles.
#
# Without the file PROFILE the flags are those of a build that is to be profiled: by lines, or with PROBES=1 by
# pseudo-probes. A profile by probes brings the flag for them along, for clang drops it from a build without. The stamp changes when the profile
# does, appears or goes, whatever its date: a profile that was just downloaded is often older than the objects. A PROFILE that is not
# there is warned of, for whoever ships that build; names with blanks are none for make.
OUT ?= out
PROFUSE_GOAL := $(.DEFAULT_GOAL)
PROFUSE_FLAGS = -gmlt -fdebug-info-for-profiling
ifneq ($(word 2,$(PROFILE)),)
$(error PROFILE has a blank in its name, which make can't take: $(PROFILE))
endif
ifneq ($(PROFILE),)
ifeq ($(wildcard $(PROFILE)),)
$(warning $(PROFILE) is not there: this build is one to be profiled, not with a profile)
endif
endif
# Whether PROFILE is by probes, and whether static functions have unique names in it, which without -funique-internal-linkage-names
# fit nothing, is told by the file: in extbinary by flags of the sections of functions' metadata and of names (a table of
# 32 bytes a section, type and flags first), in LLVM's text by checksums and names.
PROFUSE_KIND := $(if $(wildcard $(PROFILE)),$(shell \
	{ od -An -v -tx1 -j18 -N512 '$(PROFILE)' | tr -d ' \n' | fold -w64; echo; cat '$(PROFILE)'; } | LC_ALL=C grep -ao \
	-e '^0500000000000000.........[13579bdf]' -e '^ *!CFGChecksum: ' -e '^0200000000000000.........[4567cdef]' -e '[.]__uniq[.]' | \
	sed 's/^05.*/probes/; s/^ *!.*/probes/; s/^02.*/unique/; s/^[.].*/unique/' | sort -u))
PROFUSE_OF_PROBES := $(filter probes,$(PROFUSE_KIND))
ifneq ($(filter-out 0,$(PROBES))$(PROFUSE_OF_PROBES),)
PROFUSE_FLAGS += -fpseudo-probe-for-profiling
else ifneq ($(filter unique,$(PROFUSE_KIND)),)
PROFUSE_FLAGS += -funique-internal-linkage-names
endif
ifneq ($(wildcard $(PROFILE)),)
# By lines with clang's inference and a layout that uses it; by probes it needs neither.
PROFUSE_OPTIONS := $(if $(PROFUSE_OF_PROBES),,-sample-profile-use-profi -enable-ext-tsp-block-placement)
PROFUSE_FLAGS += -fprofile-sample-use=$(PROFILE) $(PROFUSE_OPTIONS:%=-mllvm %)
PROFUSE_LTO_FLAGS = -fprofile-sample-use=$(PROFILE) $(PROFUSE_OPTIONS:%=-Wl,-plugin-opt=%)
endif
PROFUSE_STAMP = $(OUT)/profile.stamp
PROFUSE_SAYS = { echo '$(PROFUSE_FLAGS)'; cksum $(wildcard $(PROFILE)) /dev/null; }

$(PROFUSE_STAMP): PROFUSE_ALWAYS
	@mkdir -p $(@D)
	@$(PROFUSE_SAYS) | cmp -s - $@ || $(PROFUSE_SAYS) >$@
PROFUSE_ALWAYS:
.PHONY: PROFUSE_ALWAYS
# The first rule of whoever includes this is what `make` builds, also where it comes later.
.DEFAULT_GOAL := $(PROFUSE_GOAL)
