/* The protocol of src/exec/mailbox.cpp: senders, a lane started on demand, and senders that wait.
 *
 * Checked for every interleaving of SENDERS that send EACH messages to a mailbox of CAPACITY with
 * LANES (1 is the ring, more is the queue of boxes):
 *  - never more than CAPACITY messages wait (A6);
 *  - a slot of the ring is not used again while its message is being handled;
 *  - when nothing can happen any more, no message is left and no sender waits (A7).
 * A sender may give up while it waits (A9), CANCELS times in all.
 *
 * The model is sequentially consistent. What makes the code so, where two sides each write one
 * thing and then read the other's:
 *  - publish / active_ and active_ / published: all four are seq_cst (for boxes, their count is);
 *  - sleeping_ / head_ and head_ / sleeping_: a seq_cst fence between the write and the read on
 *    either side (sender::falls_asleep, room_made(true)). room_made(false) has none, and the model
 *    lets it miss anything.
 * Everything else about waiting senders is under the lock. A claim is one step: a claim that
 * succeeds has read a head that can only have grown; one that fails has read the same tail before
 * and after the head. The patience of lanes is 0 here, the least; more laps look more often.
 *
 * Each of these takes one part away, and the check must then fail: NO_SECOND_LOOK, NO_PASSING_ON,
 * LATE_ANNOUNCEMENT, ROOM_FOR_ALL, NO_SPARE_SLOT.
 */

#ifndef SENDERS
#define SENDERS 3
#endif
#ifndef EACH
#define EACH 2
#endif
#ifndef CAPACITY
#define CAPACITY 1
#endif
#ifndef LANES
#define LANES 1
#endif
#ifndef CANCELS
#define CANCELS 1
#endif
#define BATCH 2
#define MESSAGES (SENDERS * EACH)
#ifdef NO_SPARE_SLOT
#define SLOTS CAPACITY
#else
#define SLOTS (CAPACITY + 1)
#endif

/* The queue: tickets from 0 on. */
byte tail = 0;
byte head = 0;
byte destroyed = 0;
bool published[MESSAGES];

byte running = 0;
byte posted = 0; /* lanes that the executor is to run */

/* The waiting senders; all but `sleeping` under the lock. */
bool locked = false;
byte waiting = 0;
byte sleeping = 0;
byte next_stamp = 0;
bool listed[SENDERS];
byte stamp[SENDERS];
bool has_waiter[SENDERS];
bool woken[SENDERS];
bool asleep[SENDERS];

byte cancels = 0;
byte taken_in = 0; /* messages that were taken */
byte handled = 0;
byte done = 0; /* senders that have ended */

#define LOCK atomic { !locked -> locked = true }
#define UNLOCK locked = false
#define HAS_ROOM (tail - head < CAPACITY)
#if LANES == 1
#define READY (head < MESSAGES && published[head])
#else
#define READY (head != tail) /* counted before it is there */
#endif

/* For whom there is room: `places` are given out in the order of coming. */
inline position_of(s, result) {
  d_step {
    result = 0;
    i = 0;
    do
    :: i < SENDERS ->
       if
       :: listed[i] && stamp[i] < stamp[s] -> result++
       :: else
       fi;
       i++
    :: else -> break
    od;
    i = 0
  }
}

/* Two looks: the head, and later the tail. */
inline look_for_room(result) {
  seen = head;
  d_step {
    if
    :: tail - seen < CAPACITY -> result = CAPACITY - (tail - seen)
    :: else -> result = 0
    fi;
    seen = 0
  }
}

inline wake_senders_locked() {
  look_for_room(places);
  d_step {
    i = 0;
    do
    :: i < SENDERS ->
       ahead = 0;
       j = 0;
       do
       :: j < SENDERS ->
          if
          :: listed[j] && stamp[j] < stamp[i] -> ahead++
          :: else
          fi;
          j++
       :: else -> break
       od;
       if
       :: listed[i] && ahead < places && has_waiter[i] ->
          woken[i] = true;
          if
          :: asleep[i] -> asleep[i] = false; sleeping--
          :: else
          fi
       :: else
       fi;
       i++
    :: else -> break
    od;
    i = 0; j = 0; ahead = 0; places = 0
  }
}

inline fall_asleep(s) {
  if
  :: !asleep[s] -> atomic { asleep[s] = true; sleeping++ }
  :: else
  fi
}

/* Sets `ticket` and `ok`. */
inline claim() {
  d_step {
    if
    :: HAS_ROOM ->
       ok = true;
       ticket = tail;
       tail++;
       taken_in++;
       assert(tail - head <= CAPACITY);
#if LANES == 1
       assert(ticket < SLOTS || destroyed > ticket - SLOTS)
#endif
    :: else -> ok = false
    fi
  }
}

inline start_lane() {
  if
  :: running < LANES ->
     atomic {
       if
       :: running < LANES -> running++; posted++
       :: else
       fi
     }
  :: else
  fi
}

proctype sender(byte me) {
  byte left = EACH, ticket = 0, places = 0, seen = 0, ahead = 0, i = 0, j = 0;
  bool ok = false;
  do
  :: left == 0 -> break
  :: else ->
     left--;
     /* try_put */
     ok = false;
     if
     :: waiting == 0 ->
        claim();
        if
        :: ok -> published[ticket] = true
        :: else
        fi
     :: else ->
        LOCK;
        look_for_room(places);
        if
        :: places > waiting ->
           claim();
           if
           :: ok -> published[ticket] = true
           :: else
           fi
        :: else
        fi;
        places = 0;
        UNLOCK
     fi;
     if
     :: ok -> start_lane()
     :: else ->
        /* wait_for_room */
        LOCK;
        d_step {
          listed[me] = true;
          stamp[me] = next_stamp;
          next_stamp++;
          has_waiter[me] = false;
          woken[me] = false;
          waiting++
        }
#ifndef LATE_ANNOUNCEMENT
        fall_asleep(me);
#endif
        UNLOCK;
        do
        :: LOCK;
#ifndef LATE_ANNOUNCEMENT
           fall_asleep(me);
#endif
           look_for_room(places);
#ifdef ROOM_FOR_ALL
           ahead = (has_waiter[me] -> 0 : waiting - 1);
#else
           position_of(me, ahead);
#endif
           if
           :: ahead < places -> claim()
           :: else -> ok = false
           fi;
           d_step { ahead = 0; places = 0 };
           if
           :: ok ->
              published[ticket] = true;
              UNLOCK;
              start_lane();
              break
           :: else ->
              d_step { has_waiter[me] = true; woken[me] = false };
#ifdef LATE_ANNOUNCEMENT
              fall_asleep(me);
#endif
              UNLOCK
           fi;
           if
           :: woken[me]
           :: atomic { cancels > 0 -> cancels-- }; break
           fi
        od;
        /* ~sender */
        LOCK;
        d_step {
          listed[me] = false;
          waiting--;
          if
          :: asleep[me] -> asleep[me] = false; sleeping--
          :: else
          fi
        };
#ifndef NO_PASSING_ON
        wake_senders_locked();
#endif
        UNLOCK
     fi;
     d_step { ok = false; ticket = 0 }
  od;
  done++
}

inline room_made() {
  if
  :: sleeping != 0 ->
     LOCK;
     wake_senders_locked();
     UNLOCK
  :: else
  fi
}

proctype lane() {
  byte taken = 0, places = 0, seen = 0, ahead = 0, i = 0, j = 0;
  bool got = false;
end:
  do
  :: atomic { posted > 0 -> posted-- };
     do
     :: taken = 0;
        do
        :: taken < BATCH ->
           atomic {
             if
             :: head < MESSAGES && published[head] -> head++; got = true
             :: else -> got = false
             fi
           };
           if
           :: !got -> break
           :: else
           fi;
           taken++;
           if
           :: true -> room_made() /* the handler suspends: room_made(true) before it is awaited */
           :: true
           fi;
           atomic { destroyed++; handled++ };
           if
           :: true -> room_made()
           :: true /* room_made(false) has come too early to see */
           fi
        :: else -> break
        od;
        room_made();
        if
        :: taken != 0
        :: else ->
           running--;
#ifdef NO_SECOND_LOOK
           break
#else
           if
           :: READY ->
              atomic {
                if
                :: running < LANES -> running++; got = true
                :: else -> got = false
                fi
              };
              if
              :: got
              :: else -> break
              fi
           :: else -> break
           fi
#endif
        fi
     od;
     atomic { taken = 0; got = false }
  od
}

/* Looks when nothing else can happen. */
active proctype watch() {
  timeout ->
  assert(done == SENDERS);
  assert(waiting == 0 && sleeping == 0);
  assert(running == 0 && posted == 0);
  assert(head == tail && handled == taken_in)
}

init {
  byte s = 0;
  if /* a sender that could give up is not one that waits for ever: both ways */
  :: cancels = CANCELS
  :: true
  fi;
  atomic {
    do
    :: s < SENDERS -> run sender(s); s++
    :: else -> break
    od;
    s = 0;
    do
    :: s < LANES -> run lane(); s++
    :: else -> break
    od
  }
}
