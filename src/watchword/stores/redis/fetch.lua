-- Marks, records and counters, all of one moment.
--
-- KEYS: those of marks, those of records, then the hash of the counters.
-- ARGV: the time ("" for the server's), the seconds for which what has ended is kept, the number of marks, then the fields of the
--     counters.
-- Answer: until when each mark lasts, in ticks; what is at each other key; each counter that lives. False for what is not there.

local clock = redis.call("TIME")
local wall = clock[1] + clock[2] / 1000000
local now = ARGV[1] == "" and wall or tonumber(ARGV[1])
local grace, marks = tonumber(ARGV[2]), tonumber(ARGV[3])
local TICKS = 4194304 -- as commit.lua

local found = {}
for place = 1, #KEYS - 1 do
    found[place] = redis.call("GET", KEYS[place])
    if place <= marks and found[place] == "1" then
        local last = wall + redis.call("PTTL", KEYS[place]) / 1000
        found[place] = string.format("%.0f", (last - grace) * TICKS)
    end
end
for place = 4, #ARGV do
    local text = redis.call("HGET", KEYS[#KEYS], ARGV[place])
    local until_ = text and tonumber(string.match(text, " (%S+)$"))
    if until_ and until_ <= now then
        text = false
    end
    found[#KEYS - 4 + place] = text -- never nil, which would end the answer
end
return found
