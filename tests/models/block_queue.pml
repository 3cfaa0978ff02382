/* The protocol of exec/block_queue: senders claim positions in linked blocks, a receiver takes
 * messages in order and gives blocks back, which are linked again.
 *
 * Checked for every interleaving of SENDERS that send EACH messages of one unit, in blocks of
 * UNITS:
 *  - a sender never looks at a block that was given back;
 *  - messages leave in the order of their positions, each once (A4);
 *  - when nothing can happen any more, all were taken.
 *
 * The model is sequentially consistent. A claim is one step, as its compare-and-swap is; it and
 * the look at `tail_block` are seq_cst in the code, and so are the store to `tail_block` and the
 * look at the tail in `leave_full_blocks`. Linking is done under the lock.
 *
 * Each of these takes one part away, and the check must then fail: LEAVE_UNPUBLISHED,
 * NO_LEFT_POSITION.
 */

#ifndef SENDERS
#define SENDERS 2
#endif
#ifndef EACH
#define EACH 3
#endif
#define UNITS 2
#define BLOCKS 5
#define NONE BLOCKS
#define UNIT(b, i) units[(b) * UNITS + (i)]

byte tail = 0;
byte linked = 0;
byte tail_block = NONE;
byte first = NONE;
byte last = NONE;
bool locked = false;

bool in_use[BLOCKS];
byte next[BLOCKS];
byte start[BLOCKS];
bool left[BLOCKS];
byte left_at[BLOCKS];
bool units[BLOCKS * UNITS];

byte taken = 0;
byte done = 0;

#ifdef NO_LEFT_POSITION
#define HAS_PASSED(b) true
#else
#define HAS_PASSED(b) (start[head] + offset >= left_at[b])
#endif
#define LOCK atomic { !locked -> locked = true }
#define UNLOCK locked = false

inline link_one() {
  d_step {
    added = 0;
    do
    :: added < BLOCKS && in_use[added] -> added++
    :: else -> break
    od;
    assert(added < BLOCKS);
    in_use[added] = true;
    next[added] = NONE;
    left[added] = false;
    i = 0;
    do
    :: i < UNITS -> UNIT(added, i) = false; i++
    :: else -> break
    od;
    i = 0;
    start[added] = linked
  };
  if
  :: last != NONE -> next[last] = added
  :: else -> tail_block = added; first = added
  fi;
  last = added;
  linked = linked + UNITS
}

inline leave_full_blocks() {
  do
  :: now = tail_block;
     if
     :: next[now] == NONE -> break
     :: else
     fi;
#ifndef LEAVE_UNPUBLISHED
     if
     :: UNIT(now, 0) && UNIT(now, 1)
     :: else -> break
     fi;
#endif
     tail_block = next[now];
     left_at[now] = tail;
     left[now] = true
  od
}

proctype sender() {
  byte rest = EACH, position = 0, in = 0, added = 0, now = 0, i = 0;
  bool claimed = false;
  do
  :: rest == 0 -> break
  :: else ->
     rest--;
     do
     :: atomic {
          if
          :: tail < linked -> position = tail; tail++; claimed = true
          :: else -> claimed = false
          fi
        };
        if
        :: claimed -> break
        :: else ->
           LOCK;
           if
           :: tail >= linked -> link_one()
           :: else
           fi;
           leave_full_blocks();
           UNLOCK
        fi
     od;
     in = tail_block;
     do
     :: assert(in != NONE && in_use[in] && start[in] <= position);
        if
        :: position - start[in] >= UNITS -> in = next[in]
        :: else -> break
        fi
     od;
     assert(in_use[in]);
     UNIT(in, position - start[in]) = true;
     atomic { position = 0; in = 0; claimed = false; added = 0; now = 0 }
  od;
  done++
}

proctype receiver() {
  byte head = NONE, offset = 0, oldest = NONE, gone = NONE;
end:
  do
  :: head == NONE && first != NONE -> atomic { head = first; oldest = first }
  :: head != NONE && offset == UNITS && next[head] != NONE ->
     head = next[head];
     offset = 0;
     do
     :: oldest != head && left[oldest] && HAS_PASSED(oldest) ->
        gone = oldest;
        oldest = next[gone];
        in_use[gone] = false
     :: else -> break
     od;
     gone = NONE
  :: head != NONE && offset < UNITS && UNIT(head, offset) ->
     atomic {
       assert(start[head] + offset == taken);
       taken++;
       offset++
     }
  od
}

/* Looks when nothing else can happen. */
active proctype watch() {
  timeout ->
  assert(done == SENDERS);
  assert(taken == SENDERS * EACH && tail == taken)
}

init {
  byte s = 0;
  atomic {
    do
    :: s < SENDERS -> run sender(); s++
    :: else -> break
    od;
    run receiver()
  }
}
