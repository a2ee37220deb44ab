package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

const (
	userTime       = 11 // counted from the field behind the name, which may have spaces (proc(5))
	systemTime     = 12
	ticksPerSecond = 100
)

// cpuSeconds is what these processes have used so far.
func cpuSeconds(processes []int) (float64, error) {
	ticks := 0
	for _, process := range processes {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", process))
		if err != nil {
			return 0, err
		}
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		for _, field := range []int{userTime, systemTime} {
			count, err := strconv.Atoi(fields[field])
			if err != nil {
				return 0, err
			}
			ticks += count
		}
	}
	return float64(ticks) / ticksPerSecond, nil
}
