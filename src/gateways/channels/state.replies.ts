import { Type } from 'class-transformer';
import { IsBoolean, IsInt, IsNumber, IsObject, IsOptional, IsString, Min, ValidateNested } from 'class-validator';

/** Values of a state channel, or of one of its cells. */
export class StatePart {
  /** In a channel with an area: the cell whose values these are. */
  @IsOptional()
  @IsString()
  cell?: string;

  @IsObject()
  state!: Readonly<Record<string, unknown>>;

  @IsObject()
  versions!: Readonly<Record<string, number>>;

  @IsOptional()
  @IsBoolean()
  more?: true;
}

/** The next values of a state channel, as they are at this position. */
export class StatePage {
  @IsObject()
  state!: Readonly<Record<string, unknown>>;

  @IsObject()
  versions!: Readonly<Record<string, number>>;

  @IsOptional()
  @IsBoolean()
  more?: true;

  @IsString()
  channel!: string;

  @IsString()
  epoch!: string;

  @IsInt()
  @Min(0)
  seq!: number;
}

/** Values of one cell, as they are at this position. */
export class CellValues {
  @IsString()
  cell!: string;

  @IsString()
  epoch!: string;

  @IsInt()
  @Min(0)
  seq!: number;

  @IsObject()
  state!: Readonly<Record<string, unknown>>;

  /** Key → version, for `ifVersion`. */
  @IsObject()
  versions!: Readonly<Record<string, number>>;
}

/** Values of the cells that the client looks at. */
export class AreaCells {
  @IsString()
  channel!: string;

  @ValidateNested({ each: true })
  @Type(() => CellValues)
  cells!: readonly CellValues[];

  /** Whether there are more values, which `area.next` brings. */
  @IsOptional()
  @IsBoolean()
  more?: true;
}

/** How a channel is cut into cells. */
export class AreaGrid {
  /** The sides of a cell, in the unit of the coordinates. */
  @IsNumber()
  cell!: number;

  /** Cells that the client may look at. */
  @IsInt()
  maxCells!: number;

  /** The second coordinate goes from -wrap to wrap, and begins again there. 0: it does not. */
  @IsNumber()
  wrap!: number;
}

/** What the client looks at now. */
export class AreaView extends AreaCells {
  /** Cells that the client did not look at before. All their values come in `cells`. */
  @IsString({ each: true })
  entered!: readonly string[];

  /** Cells that the client does not look at any more. */
  @IsString({ each: true })
  left!: readonly string[];

  @ValidateNested()
  @Type(() => AreaGrid)
  grid!: AreaGrid;
}

/** A key after its change. */
export class StateChanged {
  @IsString()
  channel!: string;

  @IsString()
  key!: string;

  @IsString()
  epoch!: string;

  /** 0: the key is absent. */
  @IsInt()
  @Min(0)
  version!: number;
}
