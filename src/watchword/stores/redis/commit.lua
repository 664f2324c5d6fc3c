-- All writes of a commit, or none. Redis undoes nothing, so everything is read and checked first, and written at the end.
--
-- KEYS: those of marks and records, as the writes name them by number; then, if there are counters, theirs: the hash that
--     holds them, a sorted set of the counters of each rank from 0 to 4 in the order in which they came to it, and a sorted
--     set of all by their ends.
-- ARGV: the time ("" for the server's), the seconds for which what has ended is kept, the number of keys of counters, the
--     room for counters, how many may be kept, the share of a rank that loses one; then the writes, one after another.
-- Answer: {"committed"}, {"refused", number of the write}, {"exceeded", number of the write, end of the counter},
--     {"no room to keep"} or {"full"}.

local clock = redis.call("TIME")
local wall = clock[1] + clock[2] / 1000000
local now = ARGV[1] == "" and wall or tonumber(ARGV[1])
local grace = tonumber(ARGV[2])
local first_of_counters = #KEYS - tonumber(ARGV[3])
local room, most_kept, share = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local TICKS = 4194304 -- of a second (2^22)
local LATEST = 9007199254740991 -- the greatest integer that a number of Lua can be
local KEPT = 4 -- the rank of a counter at half of its limit or above, or without a limit (stores.counting)

local argument = 6
local function take()
    argument = argument + 1
    return ARGV[argument]
end

-- ---- marks and records ----

local values, ends, written = {}, {}, {}

local function read(place)
    if values[place] == nil then
        values[place] = redis.call("GET", KEYS[place])
    end
    return values[place]
end

local function write(place, value, until_)
    values[place], ends[place], written[place] = value, until_, true
end

-- By the server's clock a mark lasts as long as its key, and holds a 1, which costs no memory: Redis has one for all keys. By
-- another clock it holds the ticks until when it lasts.
local function is_marked(place)
    local mark = read(place)
    return mark and (mark == "1" or tonumber(mark) / TICKS + grace >= now)
end

local function once()
    local everybodys, own, ticks = tonumber(take()), tonumber(take()), take()
    if (everybodys > 0 and is_marked(everybodys)) or is_marked(own) then
        return { "refused" }
    end
    write(own, ARGV[1] == "" and "1" or ticks, tonumber(ticks) / TICKS)
end

local function take_back()
    write(tonumber(take()), false)
end

local function version_of(value)
    return value and tonumber(string.match(value, "^%d+")) or 0
end

local function put()
    local place, condition, data, until_ = tonumber(take()), take(), take(), take()
    local version = version_of(read(place))
    if condition ~= "" and tonumber(condition) ~= version then
        return { "refused" }
    end
    write(place, string.format("%.0f", version + 1) .. data, tonumber(until_))
end

local function take_record()
    local place, condition = tonumber(take()), take()
    if condition ~= "" and tonumber(condition) ~= version_of(read(place)) then
        return { "refused" }
    end
    write(place, false)
end

-- ---- counters: the rule is `stores.counting.adding`, and tests hold the two texts equal ----

local before, tallies, counted = {}, {}, {} -- by their fields; `counted` lists those that change, in their order

local function parsed(text)
    if not text then
        return false
    end
    local value, rank, until_ = string.match(text, "^(%d+) (%d) (.+)$")
    return { value = tonumber(value), rank = tonumber(rank), ends = tonumber(until_), until_ = until_ }
end

local function living(field)
    if tallies[field] == nil then
        before[field] = parsed(redis.call("HGET", KEYS[first_of_counters + 1], field))
        tallies[field] = before[field]
    end
    local tally = tallies[field]
    return tally and tally.ends > now and tally.value > 0 and tally
end

local function add()
    local field, n, until_, limit = take(), tonumber(take()), take(), tonumber(take())
    local other, enough, start = take(), tonumber(take()), tonumber(take())
    local old = living(field)
    local asks = n == 0 and limit ~= nil
    local value
    if not old then
        if n < 0 or asks then
            return
        end
        if other ~= "" then
            local tally = living(other)
            if not tally or tally.value < enough then
                return
            end
            n = n + start
        end
        value = n
    else
        if n < 0 and old.ends > tonumber(until_) then
            return
        end
        value, until_ = math.max(0, old.value + n), old.until_
    end
    if limit and n >= 0 and value > limit then
        return { "exceeded", until_ }
    end
    if asks then
        return
    end
    local rank = KEPT
    if old and not limit and n < 0 then
        rank = old.rank
    elseif limit and limit >= 1 then
        rank = math.min(math.floor(value * 2 * KEPT / limit), KEPT)
    end
    tallies[field] = { value = value, rank = rank, ends = tonumber(until_), until_ = until_ }
    for _, known in ipairs(counted) do
        if known == field then
            return
        end
    end
    counted[#counted + 1] = field
end

local sizes, over, ended = {}, 0, {}

local function of_rank(rank)
    return KEYS[first_of_counters + 2 + rank]
end

-- Whether there is room for the counters as they are to be, and what has to go for them.
local function check_room()
    local total = 0
    for rank = 0, KEPT do
        sizes[rank] = redis.call("ZCARD", of_rank(rank))
    end
    local all_ends = KEYS[#KEYS]
    for _, field in ipairs(redis.call("ZRANGEBYSCORE", all_ends, "-inf", now, "LIMIT", 0, 4 * #counted)) do
        if tallies[field] == nil then
            local tally = parsed(redis.call("HGET", KEYS[first_of_counters + 1], field))
            ended[#ended + 1] = { field = field, rank = tally and tally.rank }
            if tally then
                sizes[tally.rank] = sizes[tally.rank] - 1
            end
        end
    end
    local kept = sizes[KEPT]
    for _, field in ipairs(counted) do
        local old, new = before[field], tallies[field]
        if old then
            sizes[old.rank] = sizes[old.rank] - 1
        end
        if new.value > 0 then
            sizes[new.rank] = sizes[new.rank] + 1
        end
    end
    local droppable = 0
    for rank = 0, KEPT do
        total = total + sizes[rank]
        if rank < KEPT then
            droppable = droppable + math.max(0, sizes[rank] - share + 1)
        end
    end
    if sizes[KEPT] > math.max(kept, most_kept) then
        return { "no room to keep" }
    end
    over = total - room
    if over > droppable then
        return { "full" }
    end
end

local function forget(field, rank)
    redis.call("HDEL", KEYS[first_of_counters + 1], field)
    redis.call("ZREM", KEYS[#KEYS], field)
    if rank then
        redis.call("ZREM", of_rank(rank), field)
    end
end

local function write_counter(field)
    local old, new = before[field], tallies[field]
    if new.value == 0 then
        if old then
            forget(field, old.rank)
        end
        return
    end
    local text = string.format("%.0f %d ", new.value, new.rank) .. new.until_
    redis.call("HSET", KEYS[first_of_counters + 1], field, text)
    if old and old.rank == new.rank and old.ends == new.ends then
        return -- it keeps its place in the line
    end
    if old then
        redis.call("ZREM", of_rank(old.rank), field)
    end
    local last = redis.call("ZREVRANGE", of_rank(new.rank), 0, 0, "WITHSCORES")[2]
    redis.call("ZADD", of_rank(new.rank), string.format("%.0f", tonumber(last or 0) + 1), field)
    redis.call("ZADD", KEYS[#KEYS], new.until_, field)
end

local MOST_DROPPED = 2048 -- at once; more are over only where a store with a greater room was here before

local function drop_least()
    for _ = 1, math.min(over, MOST_DROPPED) do
        for rank = 0, KEPT - 1 do
            if sizes[rank] >= share then
                forget(redis.call("ZRANGE", of_rank(rank), 0, 0)[1], rank)
                sizes[rank] = sizes[rank] - 1
                break
            end
        end
    end
end

-- ---- check, then write ----

local verbs = { o = once, b = take_back, p = put, t = take_record, a = add }
local number = 0
while argument < #ARGV do
    local refusal = verbs[take()]()
    if refusal then
        return { refusal[1], number, refusal[2] }
    end
    number = number + 1
end
if #counted > 0 then
    local refusal = check_room()
    if refusal then
        return refusal
    end
end

for place in pairs(written) do
    local value, until_ = values[place], ends[place]
    if not value then
        redis.call("DEL", KEYS[place])
    elseif not until_ then
        redis.call("SET", KEYS[place], value)
    else
        local last = math.min(math.ceil((until_ + grace + (wall - now)) * 1000), LATEST)
        if last > wall * 1000 then
            redis.call("SET", KEYS[place], value, "PXAT", string.format("%.0f", last))
        else
            redis.call("DEL", KEYS[place])
        end
    end
end
for _, tally in ipairs(ended) do
    forget(tally.field, tally.rank)
end
for _, field in ipairs(counted) do
    write_counter(field)
end
drop_least()
return { "committed" }
